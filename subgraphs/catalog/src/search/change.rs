//! Which products changed, noted in the transaction that changes them, and read by each index at its own pace.

use chassis::{Database, Failure, Tx, revision};
use chrono::{DateTime, Utc};
use contract::{ProductId, SellerId};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::sql::Sql;

const TABLE: &str = "search_change";
/// Ids of one statement.
const IDS_MAX: usize = 1_000;

/// Which products look different to somebody who searches.
pub(crate) enum Changed<'c> {
    Products(&'c [ProductId]),
    /// Those with an offer of a seller.
    OfSeller(SellerId),
    /// Those in the category with this path, or below it.
    Below(&'c str),
    /// Those of which this attribute is said.
    Having(&'c str),
}

/// Notes that products changed. The last thing in a transaction: others who change the same products wait from here on.
pub(crate) async fn note(tx: &Tx, now: DateTime<Utc>, changed: Changed<'_>) -> Result<(), Failure> {
    match changed {
        Changed::Products(ids) => {
            for ids in ids.chunks(IDS_MAX) {
                note_where(tx, now, |sql| _ = sql.push("p.id in ").bind_list(ids.iter().copied())).await?;
            }
            Ok(())
        }
        Changed::OfSeller(seller) => {
            let of_seller = "p.id in (select o.product_id from offer o where o.seller_id = ";
            note_where(tx, now, |sql| _ = sql.push(of_seller).bind(seller).push(")")).await
        }
        Changed::Below(path) => {
            let below = "p.id in (select pc.product_id from product_category pc \
                         join category c on c.id = pc.category_id where c.path = ";
            let rest = format!("{path}/%");
            note_where(tx, now, |sql| {
                sql.push(below).bind(path).push(" or c.path like ").bind(rest).push(")");
            })
            .await
        }
        Changed::Having(attribute) => {
            let having = "p.id in (select a.product_id from product_attribute a where a.name = ";
            note_where(tx, now, |sql| _ = sql.push(having).bind(attribute).push(")")).await
        }
    }
}

/// In the order of ids, so that two transactions cannot wait for each other.
async fn note_where(tx: &Tx, now: DateTime<Utc>, restrict: impl FnOnce(&mut Sql)) -> Result<(), Failure> {
    let mut sql = Sql::new("insert into search_change (product_id, revision, changed_at) select p.id, ");
    sql.push(&revision::sql(tx.engine(), TABLE)).push(", ").bind(now).push(" from product p where ");
    restrict(&mut sql);
    sql.push(
        " order by p.id on conflict (product_id) do update \
         set revision = excluded.revision, changed_at = excluded.changed_at",
    );
    tx.execute_raw(sql.statement(tx)).await?;
    Ok(())
}

/// A product that changed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(super) struct Change {
    pub(super) product_id: ProductId,
    pub(super) revision: i64,
    pub(super) changed_at: DateTime<Utc>,
}

/// No change up to this revision is still to come.
pub(super) async fn settled(db: &Database) -> Result<i64, Failure> {
    revision::settled(db, TABLE).await
}

/// At most `limit` products that changed after a place in the feed, in its order.
pub(super) async fn after(
    db: &Database,
    (revision, product): (i64, Uuid),
    limit: u64,
) -> Result<Vec<Change>, Failure> {
    let mut sql = Sql::new(
        "select product_id, revision, changed_at from search_change where (revision, product_id) > (",
    );
    sql.bind(revision).push(", ").bind(product);
    sql.push(") order by revision, product_id limit ").bind(limit as i64);
    Ok(Change::find_by_statement(sql.statement(db.read())).all(db.read()).await?)
}

/// The revision at which each of these products last changed.
pub(crate) async fn revisions(
    db: &impl ConnectionTrait,
    products: impl IntoIterator<Item = ProductId>,
) -> Result<Vec<(ProductId, i64)>, Failure> {
    let mut sql = Sql::new("select product_id, revision, changed_at from search_change where product_id in ");
    sql.bind_list(products);
    let rows = Change::find_by_statement(sql.statement(db)).all(db).await?;
    Ok(rows.into_iter().map(|change| (change.product_id, change.revision)).collect())
}

#[derive(FromQueryResult)]
struct Feed {
    id: Uuid,
}

/// Which database this is.
pub(super) async fn feed(db: &Database) -> Result<Uuid, Failure> {
    let statement = Sql::new("select id from search_feed").statement(db.read());
    let feed = Feed::find_by_statement(statement).one(db.read()).await?;
    feed.map(|feed| feed.id).ok_or_else(|| Failure::msg("the database has no search feed"))
}
