//! Which products changed, noted in the transaction that changes them, and read by each index at its own pace.

use chassis::{Failure, Tx, revision};
use chrono::{DateTime, Utc};
use contract::{ProductId, SellerId};
use sea_orm::ConnectionTrait;

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
