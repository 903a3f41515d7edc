//! What bidding knows of sellers, whether they can be paid, of variants and offers, as it last heard. What is older than a mirror changes nothing.

use std::collections::HashMap;
use std::hash::Hash;

use chassis::{Database, Failure, Tx};
use contract::event::accounts::{SellerChanged, SellerStatus};
use contract::event::catalog::{self, OfferChanged, VariantChanged};
use contract::event::payments::PayeeChanged;
use contract::{OfferId, UserId, VariantId};
use entity::bidding::market::Condition;
use entity::bidding::{offer, payee, seller, variant};
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::limits::{LOOK_EVERY, MIRROR_WAIT};
use crate::selling::{self, Change};

pub async fn hear_variants(tx: &Tx, changes: Vec<(&VariantChanged, i64)>) -> Result<(), Failure> {
    use variant::Column::*;
    let rows = newest(changes.into_iter().map(|(change, version)| {
        let (variant_id, product_id) = (change.variant_id, change.product_id);
        (variant_id, version, variant::Model { variant_id, product_id, version })
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(VariantId, variant::Entity, Version).update_columns([ProductId, Version]).to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    variant::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

/// Takes over whose offers there are of what.
pub async fn hear_offers(tx: &Tx, changes: Vec<(&OfferChanged, i64)>) -> Result<(), Failure> {
    use offer::Column::*;
    let rows = newest(changes.into_iter().map(|(change, version)| {
        let row = offer::Model {
            offer_id: change.offer_id,
            variant_id: change.variant_id,
            seller_id: change.seller_id,
            condition: condition(change.condition),
            archived: change.publication == catalog::Publication::Archived,
            version,
        };
        (change.offer_id, version, row)
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(OfferId, offer::Entity, Version)
        .update_columns([VariantId, SellerId, Condition, Archived, Version])
        .to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    offer::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

fn condition(said: catalog::Condition) -> Condition {
    match said {
        catalog::Condition::New => Condition::New,
        catalog::Condition::LikeNew => Condition::LikeNew,
        catalog::Condition::VeryGood => Condition::VeryGood,
        catalog::Condition::Good => Condition::Good,
        catalog::Condition::Acceptable => Condition::Acceptable,
    }
}

/// Takes over where sellers stand. Whoever is suspended has no asks from then on.
pub async fn hear_sellers(tx: &Tx, changes: Vec<(&SellerChanged, i64)>) -> Result<(), Failure> {
    use seller::Column::*;
    let rows = newest(changes.into_iter().map(|(change, version)| {
        let (seller_id, user_id) = (change.seller_id, change.user_id);
        let row = seller::Model { seller_id, user_id, status: status(change.status), version };
        (seller_id, version, row)
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(SellerId, seller::Entity, Version).update_columns([UserId, Status, Version]).to_owned();
    let models = rows.iter().cloned().map(IntoActiveModel::into_active_model);
    seller::Entity::insert_many(models).on_conflict(newer).exec_without_returning(tx).await?;
    for row in rows {
        follow_standing(tx, row.user_id).await?;
    }
    Ok(())
}

/// Takes over which shops can be paid.
pub async fn hear_payees(tx: &Tx, changes: Vec<(&PayeeChanged, i64)>) -> Result<(), Failure> {
    use payee::Column::*;
    let rows = newest(changes.into_iter().map(|(change, version)| {
        let (seller_id, ready) = (change.seller_id, change.ready);
        (seller_id, version, payee::Model { seller_id, ready, version })
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let newer = newer(SellerId, payee::Entity, Version).update_columns([Ready, Version]).to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    payee::Entity::insert_many(rows).on_conflict(newer).exec_without_returning(tx).await?;
    Ok(())
}

/// Bars an account whose shop is suspended, and lets it in again when it is not.
async fn follow_standing(tx: &Tx, user: UserId) -> Result<(), Failure> {
    let shops = seller::Entity::find().filter(seller::Column::UserId.eq(user)).all(tx).await?;
    let is_barred = shops.iter().any(|shop| shop.status == seller::Status::Suspended);
    selling::change(tx, user, if is_barred { Change::Bar } else { Change::Unbar }).await
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

fn status(status: SellerStatus) -> seller::Status {
    match status {
        SellerStatus::Pending => seller::Status::Pending,
        SellerStatus::Verified => seller::Status::Verified,
        SellerStatus::Rejected => seller::Status::Rejected,
        SellerStatus::Suspended => seller::Status::Suspended,
    }
}

/// Waits until the event of a variant has arrived, at most a second: what was made a moment ago may be traded at once. Call
/// it outside a transaction.
pub async fn wait_for_variant(db: &Database, id: VariantId) -> Result<(), Failure> {
    let looking = async {
        while variant::Entity::find_by_id(id).one(db.read()).await?.is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::time::timeout(MIRROR_WAIT, looking).await.unwrap_or(Ok(()))
}

/// Waits until the event of an offer has arrived, at most a second. Call it outside a transaction.
pub async fn wait_for_offer(db: &Database, id: OfferId) -> Result<(), Failure> {
    let looking = async {
        while offer::Entity::find_by_id(id).one(db.read()).await?.is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::time::timeout(MIRROR_WAIT, looking).await.unwrap_or(Ok(()))
}

/// Waits until somebody's shop is known and can be paid, at most a second: what was set up a moment ago counts.
pub async fn wait_for_shop(db: &Database, user: UserId) -> Result<(), Failure> {
    let looking = async {
        while !can_be_paid(db, user).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::time::timeout(MIRROR_WAIT, looking).await.unwrap_or(Ok(()))
}

/// Whether one of somebody's shops can be paid. Whether it is the one they mean is asked later.
async fn can_be_paid(db: &Database, user: UserId) -> Result<bool, Failure> {
    let shops = seller::Entity::find().filter(seller::Column::UserId.eq(user)).all(db.read()).await?;
    let ids = shops.iter().map(|shop| shop.seller_id);
    let ready = payee::Entity::find()
        .filter(payee::Column::SellerId.is_in(ids))
        .filter(payee::Column::Ready.eq(true));
    Ok(ready.one(db.read()).await?.is_some())
}
