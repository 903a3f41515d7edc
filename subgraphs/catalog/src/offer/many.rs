//! Many offers at once, with as many statements as for a few: for imports and for what inventory says.

use std::collections::HashSet;

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::StockChanged;
use contract::{OfferId, ProductId};
use entity::catalog::{Publication, offer, offer_price};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::{changed, priced};
use crate::search::{self, Changed};
use crate::sql::Sql;

/// Rows of one statement: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// Writes new offers and tells of them, but for those whose sellers have one for the variant in the condition by now: the
/// ids of those that are written.
pub(crate) async fn insert(
    tx: &Tx,
    now: DateTime<Utc>,
    offers: &[offer::Model],
) -> Result<HashSet<OfferId>, Failure> {
    let once = [offer::Column::SellerId, offer::Column::VariantId, offer::Column::Condition];
    let mut written = HashSet::new();
    for some in offers.chunks(ROWS_MAX) {
        let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
        let inserted = offer::Entity::insert_many(rows)
            .on_conflict(OnConflict::columns(once).do_nothing().to_owned())
            .exec_with_returning(tx)
            .await?;
        written.extend(inserted.into_iter().map(|offer| offer.id));
    }
    let new: Vec<&offer::Model> = offers.iter().filter(|offer| written.contains(&offer.id)).collect();
    keep_prices(tx, &new).await?;
    tell(tx, now, &new).await?;
    Ok(written)
}

/// Gives offers, which this transaction has locked, the prices and the publication that they have here; tells of them.
pub(crate) async fn store(
    tx: &Tx,
    now: DateTime<Utc>,
    mut offers: Vec<offer::Model>,
    repriced: &HashSet<OfferId>,
) -> Result<Vec<offer::Model>, Failure> {
    for offer in &mut offers {
        (offer.version, offer.updated_at) = (offer.version + 1, now);
    }
    for some in offers.chunks(ROWS_MAX) {
        let mut sql = Sql::new("with fresh(id, price, currency_code, shown) as (values ");
        for (index, offer) in some.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" }).bind(offer.id).push(", ").bind(offer.price_minor);
            sql.push(", ").bind(offer.currency.as_str()).push(", ").bind(offer.publication).push(")");
        }
        sql.push(
            ") update offer set price_minor = fresh.price, currency = fresh.currency_code, publication = fresh.shown, \
             version = version + 1, updated_at = ",
        );
        sql.bind(now).push(" from fresh where offer.id = fresh.id");
        tx.execute_raw(sql.statement(tx)).await?;
    }
    let all: Vec<&offer::Model> = offers.iter().collect();
    let repriced: Vec<&offer::Model> = offers.iter().filter(|offer| repriced.contains(&offer.id)).collect();
    keep_prices(tx, &repriced).await?;
    tell(tx, now, &all).await?;
    Ok(offers)
}

async fn keep_prices(tx: &Tx, offers: &[&offer::Model]) -> Result<(), Failure> {
    for some in offers.chunks(ROWS_MAX) {
        let rows = some.iter().map(|offer| priced(offer).into_active_model());
        offer_price::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

async fn tell(tx: &Tx, now: DateTime<Utc>, offers: &[&offer::Model]) -> Result<(), Failure> {
    let events = offers.iter().map(|offer| (about("offer", offer.id, offer.version), changed(offer).into()));
    outbox::say_all(tx, now, events.collect()).await?;
    let mut products: Vec<ProductId> = offers.iter().map(|offer| offer.product_id).collect();
    products.sort_unstable();
    products.dedup();
    search::note(tx, now, Changed::Products(&products)).await
}

/// Keeps what inventory says of offers that this transaction has locked, each once.
pub(super) async fn keep_stock(tx: &Tx, said: &[&StockChanged]) -> Result<(), Failure> {
    for some in said.chunks(ROWS_MAX) {
        let mut sql = Sql::new("with said(id, pieces, sequence) as (values ");
        for (index, said) in some.iter().enumerate() {
            sql.push(if index == 0 { "(" } else { ", (" }).bind(said.offer_id).push(", ");
            sql.bind(said.available).push(", ").bind(said.sequence).push(")");
        }
        sql.push(
            ") update offer set available = said.pieces, stock_sequence = said.sequence from said \
             where offer.id = said.id and offer.stock_sequence < said.sequence",
        );
        tx.execute_raw(sql.statement(tx)).await?;
    }
    Ok(())
}

/// Whether an offer is as buyers see it and costs this.
pub(crate) fn is_shown_at(offer: &offer::Model, price: contract::Money) -> bool {
    offer.price() == price && offer.publication == Publication::Published
}
