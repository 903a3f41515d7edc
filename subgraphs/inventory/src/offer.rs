//! The mirror of catalog's offers: what there can be stock of, and whose it is.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chassis::{Database, Failure, Tx};
use contract::OfferId;
use contract::event::catalog::{self, OfferChanged};
use entity::inventory::offer::{self, Publication};
use entity::inventory::stock_level;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use crate::keeper::Keeper;

/// How often to look whether an offer's event has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Ids in one statement: SQLite takes at most 32,766 values.
const IDS_MAX: usize = 10_000;

/// Takes over what catalog said, each with the version of its offer. What is older than the mirror changes nothing. A
/// new offer begins with no stock.
pub async fn hear(tx: &Tx, changes: impl Iterator<Item = (&OfferChanged, i64)>) -> Result<(), Failure> {
    let mut newest: HashMap<_, offer::Model> = HashMap::new();
    for (change, version) in changes {
        if newest.get(&change.offer_id).is_none_or(|known| known.version < version) {
            newest.insert(change.offer_id, mirrored(change, version));
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let offers: Vec<OfferId> = newest.keys().copied().collect();
    let older = Expr::col((offer::Entity, offer::Column::Version))
        .lt(Expr::col(("excluded", offer::Column::Version)));
    let take_over = OnConflict::column(offer::Column::OfferId)
        .update_columns([
            offer::Column::VariantId,
            offer::Column::SellerId,
            offer::Column::Publication,
            offer::Column::Version,
        ])
        .action_and_where(older)
        .to_owned();
    offer::Entity::insert_many(newest.into_values().map(IntoActiveModel::into_active_model))
        .on_conflict(take_over)
        .exec_without_returning(tx)
        .await?;
    begin_empty(tx, offers).await
}

async fn begin_empty(tx: &Tx, offers: Vec<OfferId>) -> Result<(), Failure> {
    let empty = offers.into_iter().map(|offer_id| {
        stock_level::Model { offer_id, on_hand: 0, reserved: 0, available: 0, version: 0 }.into_active_model()
    });
    stock_level::Entity::insert_many(empty)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn mirrored(change: &OfferChanged, version: i64) -> offer::Model {
    offer::Model {
        offer_id: change.offer_id,
        variant_id: change.variant_id,
        seller_id: change.seller_id,
        publication: match change.publication {
            catalog::Publication::Draft => Publication::Draft,
            catalog::Publication::Published => Publication::Published,
            catalog::Publication::Archived => Publication::Archived,
        },
        version,
    }
}

/// Those of `offers` whose stock is the keeper's to move.
pub async fn kept_by(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    offers: impl IntoIterator<Item = OfferId>,
) -> Result<Vec<offer::Model>, Failure> {
    let kept = offer::Entity::find()
        .filter(offer::Column::OfferId.is_in(offers))
        .filter(keeper.keeps(offer::Column::SellerId));
    Ok(kept.all(db).await?)
}

/// Waits until the events of all `offers` have arrived, at most `timeout`: somebody who made an offer a moment ago may
/// stock it at once. Call it outside a transaction. `false`: some are unknown still.
pub async fn wait_until_known(db: &Database, offers: &[OfferId], timeout: Duration) -> Result<bool, Failure> {
    let looking = async {
        while !are_known(db, offers).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(true)
    };
    tokio::time::timeout(timeout, looking).await.unwrap_or(Ok(false))
}

async fn are_known(db: &Database, offers: &[OfferId]) -> Result<bool, Failure> {
    let offers: Vec<OfferId> = offers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    for some in offers.chunks(IDS_MAX) {
        let known = offer::Entity::find().filter(offer::Column::OfferId.is_in(some.iter().copied()));
        if known.count(db.read()).await? < some.len() as u64 {
            return Ok(false);
        }
    }
    Ok(true)
}
