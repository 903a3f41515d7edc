//! What orders knows of offers, stock and sellers, as it last heard. What is older than a mirror changes nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use chassis::{Database, Failure, Tx};
use contract::OfferId;
use contract::event::accounts::{SellerChanged, SellerStatus};
use contract::event::catalog::{self, OfferChanged};
use contract::event::inventory::StockChanged;
use entity::orders::{offer, seller, stock};
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

/// How often to look whether an offer's event has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub async fn hear_offers(tx: &Tx, changes: Vec<(&OfferChanged, i64)>) -> Result<(), Failure> {
    use offer::Column::*;
    let rows = changes.into_iter().map(|(change, version)| {
        let row = offer::Model {
            offer_id: change.offer_id,
            product_id: change.product_id,
            variant_id: change.variant_id,
            seller_id: change.seller_id,
            price_minor: change.price.amount_minor,
            currency: change.price.currency.to_string(),
            publication: publication(change.publication),
            version,
        };
        (change.offer_id, version, row)
    });
    let rows = newest(rows);
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(OfferId, offer::Entity, Version)
        .update_columns([ProductId, VariantId, SellerId, PriceMinor, Currency, Publication, Version])
        .to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    offer::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn hear_stock(tx: &Tx, changes: Vec<&StockChanged>) -> Result<(), Failure> {
    use stock::Column::*;
    let rows = newest(changes.into_iter().map(|change| {
        let row = stock::Model {
            offer_id: change.offer_id,
            available: change.available,
            sequence: change.sequence,
        };
        (change.offer_id, change.sequence, row)
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(OfferId, stock::Entity, Sequence).update_columns([Available, Sequence]).to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    stock::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn hear_sellers(tx: &Tx, changes: Vec<(&SellerChanged, i64)>) -> Result<(), Failure> {
    use seller::Column::*;
    let rows = newest(changes.into_iter().map(|(change, version)| {
        let row = seller::Model {
            seller_id: change.seller_id,
            user_id: change.user_id,
            name: change.name.clone(),
            status: status(change.status),
            version,
        };
        (change.seller_id, version, row)
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer =
        newer(SellerId, seller::Entity, Version).update_columns([UserId, Name, Status, Version]).to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    seller::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

/// The newest row of each key: one statement must not touch a row twice.
fn newest<K: Eq + Hash, R>(rows: impl Iterator<Item = (K, i64, R)>) -> Vec<R> {
    let mut newest: HashMap<K, (i64, R)> = HashMap::new();
    for (key, version, row) in rows {
        if newest.get(&key).is_none_or(|(known, _)| *known < version) {
            newest.insert(key, (version, row));
        }
    }
    newest.into_values().map(|(_, row)| row).collect()
}

/// On a row that is there already: take over only what is newer.
fn newer<C: ColumnTrait, T: IntoIden>(key: C, table: T, version: C) -> OnConflict {
    let older = Expr::col((table.into_iden(), version)).lt(Expr::col(("excluded", version)));
    OnConflict::column(key).action_and_where(older).to_owned()
}

fn publication(publication: catalog::Publication) -> offer::Publication {
    match publication {
        catalog::Publication::Draft => offer::Publication::Draft,
        catalog::Publication::Published => offer::Publication::Published,
        catalog::Publication::Archived => offer::Publication::Archived,
    }
}

fn status(status: SellerStatus) -> seller::Status {
    match status {
        SellerStatus::Pending => seller::Status::Pending,
        SellerStatus::Verified => seller::Status::Verified,
        SellerStatus::Rejected => seller::Status::Rejected,
        SellerStatus::Suspended => seller::Status::Suspended,
    }
}

/// Waits until the events of all `offers` have arrived, at most `timeout`: somebody who saw an offer made a moment ago may
/// buy it at once. Call it outside a transaction.
pub async fn wait_until_known(db: &Database, offers: &[OfferId], timeout: Duration) -> Result<(), Failure> {
    let looking = async {
        loop {
            let known = offer::Entity::find().filter(offer::Column::OfferId.is_in(offers.iter().copied()));
            if known.count(db.read()).await? >= offers.len() as u64 {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(timeout, looking).await.unwrap_or(Ok(()))
}
