//! What webhooks have not been told: the newest of each offer, written with the change itself.

use std::collections::{BTreeSet, HashMap};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{OfferId, SellerId};
use entity::inventory::webhook_change::{Column, Entity, Model};
use entity::inventory::{offer, stock_level, webhook};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::stock::{self, Level};

/// Rows of one statement: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// Notes the new `levels` for the webhooks of their sellers. Their rows are locked by whoever changed them.
pub(crate) async fn note(tx: &Tx, now: DateTime<Utc>, levels: &[Level]) -> Result<(), Failure> {
    let sellers: BTreeSet<SellerId> = levels.iter().map(|level| level.seller_id).collect();
    if sellers.is_empty() {
        return Ok(());
    }
    let webhooks = webhook::Entity::find()
        .filter(webhook::Column::SellerId.is_in(sellers))
        .filter(webhook::Column::Enabled.eq(true))
        .all(tx)
        .await?;
    for webhook in webhooks {
        let own = levels.iter().filter(|level| level.seller_id == webhook.seller_id);
        write(tx, now, &webhook, own).await?;
    }
    Ok(())
}

/// Notes all stock of the webhook's seller. The levels are locked, so that no change falls between this and the first
/// that [`note`] sees.
pub(super) async fn note_everything(
    tx: &Tx,
    now: DateTime<Utc>,
    webhook: &webhook::Model,
) -> Result<(), Failure> {
    let offers = offer::Entity::find()
        .filter(offer::Column::SellerId.eq(webhook.seller_id))
        .order_by_asc(offer::Column::OfferId)
        .all(tx)
        .await?;
    for some in offers.chunks(ROWS_MAX) {
        let by_id: HashMap<OfferId, &offer::Model> =
            some.iter().map(|offer| (offer.offer_id, offer)).collect();
        let levels = stock_level::Entity::find()
            .filter(stock_level::Column::OfferId.is_in(some.iter().map(|offer| offer.offer_id)))
            .order_by_asc(stock_level::Column::OfferId)
            .lock_exclusive()
            .all(tx)
            .await?;
        let levels: Vec<Level> = levels
            .iter()
            .filter_map(|level| Some(stock::now_is(level, by_id.get(&level.offer_id)?)))
            .collect();
        write(tx, now, webhook, levels.iter()).await?;
    }
    Ok(())
}

async fn write(
    tx: &Tx,
    now: DateTime<Utc>,
    webhook: &webhook::Model,
    levels: impl Iterator<Item = &Level>,
) -> Result<(), Failure> {
    let rows: Vec<_> = levels.map(|level| row(now, webhook, level).into_active_model()).collect();
    let older = Expr::col((Entity, Column::Sequence)).lt(Expr::col(("excluded", Column::Sequence)));
    let newest = OnConflict::columns([Column::WebhookId, Column::OfferId])
        .update_columns([
            Column::OnHand,
            Column::Reserved,
            Column::Available,
            Column::Sequence,
            Column::ChangedAt,
        ])
        .action_and_where(older)
        .to_owned();
    for some in rows.chunks(ROWS_MAX) {
        Entity::insert_many(some.iter().cloned())
            .on_conflict(newest.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn row(now: DateTime<Utc>, webhook: &webhook::Model, level: &Level) -> Model {
    Model {
        webhook_id: webhook.id,
        offer_id: level.offer_id,
        variant_id: level.variant_id,
        on_hand: level.on_hand,
        reserved: level.reserved,
        available: level.available,
        sequence: level.sequence,
        changed_at: now,
    }
}
