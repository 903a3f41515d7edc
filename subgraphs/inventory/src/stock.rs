//! The one place that moves stock: the log, the levels and the shelves change together, and are told together.

pub(crate) mod batch;
mod level;
mod many;
pub mod read;
mod shelf_level;

use std::collections::BTreeMap;

use chassis::outbox::{self, about};
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::StockChanged;
use contract::{LocationId, MovementId, OfferId, OrderId, ReservationId, SellerId, ShipmentId, VariantId};
use entity::inventory::stock_movement::Kind;
use entity::inventory::{offer, stock_level, stock_movement, webhook as webhook_row};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QuerySelect};

use crate::webhook;

/// Movements in one insert: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;
/// Offers looked up in one statement.
const OFFERS_MAX: usize = 10_000;

/// The stock of one offer as it is now: what is told to everybody.
pub type Level = StockChanged;

/// One movement to be. A positive number is more on the shelf, or more promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub offer_id: OfferId,
    /// The shelf that pieces leave or reach; `None` when only promises change.
    pub location_id: Option<LocationId>,
    pub kind: Kind,
    pub on_hand_delta: i64,
    pub reserved_delta: i64,
    pub cause: Cause,
}

/// Who moved stock, and what for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    pub actor: String,
    pub reason: Option<String>,
    pub reservation_id: Option<ReservationId>,
    pub order_id: Option<OrderId>,
    pub shipment_id: Option<ShipmentId>,
}

/// Why stock cannot move so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Fewer pieces than asked for are free.
    NotEnough { offer_id: OfferId, available: i64 },
    /// Fewer pieces than asked for lie at this location.
    ShelfTooShort { offer_id: OfferId, on_hand: i64 },
    /// More than [`ON_HAND_MAX`](crate::limits::ON_HAND_MAX) pieces.
    TooMuch { offer_id: OfferId },
}

/// Makes all of `moves`, or none. Levels are changed in the order of their ids, each once, so that two who do this at
/// the same time wait for each other and never in a circle. Gives the new level of each offer.
pub async fn apply(tx: &Tx, now: DateTime<Utc>, moves: Vec<Move>) -> Outcome<Vec<Level>, Unfit> {
    let mut by_offer: BTreeMap<OfferId, Vec<Move>> = BTreeMap::new();
    for one in moves {
        by_offer.entry(one.offer_id).or_default().push(one);
    }
    let mut levels = Vec::with_capacity(by_offer.len());
    let mut log = Vec::new();
    for (offer_id, moves) in by_offer {
        let level = match level::shift(tx, offer_id, &moves).await? {
            Ok(level) => level,
            Err(unfit) => return Ok(Err(unfit)),
        };
        if let Err(unfit) = shelf_level::shift(tx, offer_id, &moves).await? {
            return Ok(Err(unfit));
        }
        log.extend(moves.into_iter().map(|one| movement(one, level.version, now)));
        levels.push(level);
    }
    record(tx, log).await?;
    tell(tx, now, levels).await.map(Ok)
}

/// [`apply`] for many offers with few statements. Their levels are locked in this transaction, and the moves fit them.
pub(crate) async fn apply_to_locked(
    tx: &Tx,
    now: DateTime<Utc>,
    moves: Vec<Move>,
) -> Result<Vec<Level>, Failure> {
    let levels = many::shift_levels(tx, &moves).await?;
    many::shift_shelves(tx, &moves).await?;
    let versions: BTreeMap<OfferId, i64> =
        levels.iter().map(|level| (level.offer_id, level.version)).collect();
    let log = moves.into_iter().map(|one| {
        let version = versions[&one.offer_id];
        movement(one, version, now)
    });
    record(tx, log.collect()).await?;
    tell(tx, now, levels).await
}

pub(crate) fn movement(one: Move, version: i64, at: DateTime<Utc>) -> stock_movement::Model {
    stock_movement::Model {
        id: MovementId::new(),
        offer_id: one.offer_id,
        location_id: one.location_id,
        kind: one.kind,
        on_hand_delta: one.on_hand_delta,
        reserved_delta: one.reserved_delta,
        actor: one.cause.actor,
        reason: one.cause.reason,
        reservation_id: one.cause.reservation_id,
        order_id: one.cause.order_id,
        shipment_id: one.cause.shipment_id,
        version,
        at,
    }
}

pub(crate) async fn record(tx: &Tx, log: Vec<stock_movement::Model>) -> Result<(), Failure> {
    let mut log = log.into_iter().map(IntoActiveModel::into_active_model).peekable();
    while log.peek().is_some() {
        stock_movement::Entity::insert_many(log.by_ref().take(ROWS_MAX)).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Tells each changed level once.
pub(crate) async fn tell(
    tx: &Tx,
    now: DateTime<Utc>,
    levels: Vec<stock_level::Model>,
) -> Result<Vec<Level>, Failure> {
    let (mut told, mut listened) = (Vec::with_capacity(levels.len()), vec![]);
    for some in levels.chunks(OFFERS_MAX) {
        let offers = listings(tx, some.iter().map(|level| level.offer_id)).await?;
        for (level, offer) in some.iter().filter_map(|level| Some((level, offers.get(&level.offer_id)?))) {
            let level = level_of(level, offer.variant_id, offer.seller_id);
            listened.extend(offer.has_webhook.then(|| level.clone()));
            told.push(level);
        }
    }
    let events = told
        .iter()
        .map(|level: &Level| (about("stock_level", level.offer_id, level.sequence), level.clone().into()));
    outbox::say_all(tx, now, events.collect()).await?;
    webhook::note(tx, now, &listened).await?;
    Ok(told)
}

/// What is told of an offer besides its level.
#[derive(FromQueryResult)]
struct Listing {
    offer_id: OfferId,
    variant_id: VariantId,
    seller_id: SellerId,
    /// Somebody outside is told of the seller's stock.
    has_webhook: bool,
}

async fn listings(
    tx: &Tx,
    offers: impl Iterator<Item = OfferId>,
) -> Result<BTreeMap<OfferId, Listing>, Failure> {
    let webhook = Query::select()
        .expr(Expr::val(1))
        .from(webhook_row::Entity)
        .and_where(
            Expr::col((webhook_row::Entity, webhook_row::Column::SellerId))
                .eq(Expr::col((offer::Entity, offer::Column::SellerId))),
        )
        .and_where(webhook_row::Column::Enabled.eq(true))
        .take();
    let rows = offer::Entity::find()
        .select_only()
        .columns([offer::Column::OfferId, offer::Column::VariantId, offer::Column::SellerId])
        .expr_as(Expr::exists(webhook), "has_webhook")
        .filter(offer::Column::OfferId.is_in(offers))
        .into_model::<Listing>()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|listing| (listing.offer_id, listing)).collect())
}

/// The public form of a level.
pub(crate) fn now_is(level: &stock_level::Model, offer: &offer::Model) -> Level {
    level_of(level, offer.variant_id, offer.seller_id)
}

fn level_of(level: &stock_level::Model, variant_id: VariantId, seller_id: SellerId) -> Level {
    Level {
        offer_id: level.offer_id,
        variant_id,
        seller_id,
        on_hand: level.on_hand,
        reserved: level.reserved,
        available: level.available,
        sequence: level.version,
    }
}
