//! Many asks at once: they are written down first and sent to the engine by a job. Each has a key of its own there, so that
//! being sent twice is being placed once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chassis::idempotency::Conflict;
use chassis::{Denied, Env, Failure, Job, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{AskBatchId, MarketId, OfferId, SellerId, UserId};
use entity::bidding::ask_batch_item::{Column, Refusal, Status};
use entity::bidding::{ask_batch, ask_batch_item, market};
use futures::FutureExt;
use futures::future::join_all;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use crate::backing::{self, NotPlaced};
use crate::floor::{Floor, NoAnswer};
use crate::limits::{DAYS, QUANTITY_MAX};
use crate::order::{Done, NewOrder, place};
use crate::selling::{self, CannotSell};
use crate::terms::{Terms, request_hash};

/// Asks in one batch.
pub const ASKS_MAX: usize = 1_000;
/// Asks that are sent to the engine together.
const SENT_MAX: u64 = 256;
/// How often to look for asks that wait.
const PAUSE: Duration = Duration::from_millis(250);

/// One ask of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub market_id: MarketId,
    pub price_minor: i64,
    pub quantity: i64,
    pub days: i64,
    /// The offer whose stock is to back it.
    pub offer_id: Option<OfferId>,
}

/// Take a batch in.
#[derive(Clone, Debug)]
pub struct ListAsks {
    /// The batch's id, new.
    pub id: AskBatchId,
    pub user: UserId,
    /// `None`: the only shop they have.
    pub seller: Option<SellerId>,
    pub asks: Vec<Ask>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListRefusal {
    #[error("must have 1 to {ASKS_MAX} asks")]
    AsksOutOfRange,
    #[error(transparent)]
    CannotSell(CannotSell),
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for ListRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Writes a batch down. What is wrong with one of its asks is told there.
pub async fn take_in(tx: &Tx, now: DateTime<Utc>, command: ListAsks) -> Outcome<(), ListRefusal> {
    if !(1..=ASKS_MAX).contains(&command.asks.len()) {
        return Ok(Err(ListRefusal::AsksOutOfRange));
    }
    let seller_id = match selling::shop(tx, now, command.user, command.seller).await? {
        Ok(shop) => shop,
        Err(why) => return Ok(Err(ListRefusal::CannotSell(why))),
    };
    let (id, user_id, total) = (command.id, command.user, command.asks.len() as i64);
    let batch = ask_batch::Model { id, user_id, seller_id, total, created_at: now };
    ask_batch::Entity::insert(batch.into_active_model()).exec_without_returning(tx).await?;
    let items: Vec<_> = (0..).zip(command.asks).map(|(position, ask)| item(id, position, ask)).collect();
    ask_batch_item::Entity::insert_many(items).exec_without_returning(tx).await?;
    Ok(Ok(()))
}

fn item(batch_id: AskBatchId, position: i64, ask: Ask) -> ask_batch_item::ActiveModel {
    let Ask { market_id, price_minor, quantity, days, offer_id } = ask;
    ask_batch_item::Model {
        batch_id,
        position,
        market_id,
        price_minor,
        quantity,
        days,
        offer_id,
        status: Status::Waiting,
        refusal: None,
        partition: None,
        number: None,
    }
    .into_active_model()
}

/// Sends asks that wait.
pub fn job(env: &Env, floor: &Floor) -> Job {
    let (env, floor) = (env.clone(), floor.clone());
    let run = move || {
        let (env, floor) = (env.clone(), floor.clone());
        async move { send(&env, &floor).await }.boxed()
    };
    Job { name: "bidding.batches", pause: PAUSE, run: Arc::new(run) }
}

/// Sends everything that waits and can be sent from here.
pub async fn send(env: &Env, floor: &Floor) -> Result<(), Failure> {
    loop {
        let waiting = ask_batch_item::Entity::find()
            .filter(Column::Status.eq(Status::Waiting))
            .order_by_asc(Column::BatchId)
            .order_by_asc(Column::Position)
            .limit(SENT_MAX)
            .all(env.db.look())
            .await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let batches = batches(env, &waiting).await?;
        let markets = markets(env, &waiting).await?;
        let sent = waiting.iter().filter_map(|item| {
            let batch = batches.get(&item.batch_id)?;
            Some(send_one(env, floor, batch, markets.get(&item.market_id), item))
        });
        let sent = join_all(sent).await.into_iter().collect::<Result<Vec<bool>, Failure>>()?;
        // What another process must send stays; it would be found again and again.
        if sent.contains(&false) {
            return Ok(());
        }
    }
}

async fn batches(
    env: &Env,
    items: &[ask_batch_item::Model],
) -> Result<HashMap<AskBatchId, ask_batch::Model>, Failure> {
    let ids: BTreeSet<AskBatchId> = items.iter().map(|item| item.batch_id).collect();
    let rows = ask_batch::Entity::find().filter(ask_batch::Column::Id.is_in(ids)).all(env.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn markets(
    env: &Env,
    items: &[ask_batch_item::Model],
) -> Result<HashMap<MarketId, market::Model>, Failure> {
    let ids: BTreeSet<MarketId> = items.iter().map(|item| item.market_id).collect();
    let rows = market::Entity::find().filter(market::Column::Id.is_in(ids)).all(env.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Whether the ask is decided.
async fn send_one(
    env: &Env,
    floor: &Floor,
    batch: &ask_batch::Model,
    market: Option<&market::Model>,
    item: &ask_batch_item::Model,
) -> Result<bool, Failure> {
    let (Some(market), None) = (market, wrong(item)) else {
        let refusal = wrong(item).unwrap_or(Refusal::MarketNotFound);
        return settle(env, item, Err(refusal)).await;
    };
    match place_one(env, floor, market, order(batch, item)).await {
        Ok(None) => Ok(false),
        Ok(Some(Ok(done))) => settle(env, item, Ok((done.order.partition, done.order.number))).await,
        Ok(Some(Err(refusal))) => settle(env, item, Err(refusal)).await,
        Err(NoAnswer::Denied(Denied::NotNow(_) | Denied::Overloaded { .. })) => Ok(false),
        Err(NoAnswer::Denied(denied)) => Err(Failure::msg(denied.to_string())),
        Err(NoAnswer::Failure(failure)) => Err(failure),
    }
}

/// `None`: its stock is still to be reserved.
async fn place_one(
    env: &Env,
    floor: &Floor,
    market: &market::Model,
    new: NewOrder,
) -> Result<Option<Result<Done, Refusal>>, NoAnswer> {
    let (Some(offer), Some(shop)) = (new.terms.offer_id, new.terms.seller_id) else {
        return Ok(Some(place(env, floor, market, new).await?.map_err(told)));
    };
    if !backing::can_back(env.db.read(), market, shop, offer).await? {
        return Ok(Some(Err(Refusal::OfferNotFound)));
    }
    let placed = backing::place(env, floor, market, &new, Duration::ZERO).await?;
    Ok(placed.map(|placed| {
        placed.map_err(|why| match why {
            NotPlaced::OutOfStock { .. } | NotPlaced::Late => Refusal::OutOfStock,
            NotPlaced::Refused(refusal) => told(refusal),
        })
    }))
}

fn order(batch: &ask_batch::Model, item: &ask_batch_item::Model) -> NewOrder {
    let ask = (item.market_id, item.price_minor, item.quantity, item.days, item.offer_id);
    NewOrder {
        user: batch.user_id,
        operation: "listAsks".into(),
        key: format!("{} {}", batch.id, item.position),
        side: matching::Side::Ask,
        price_minor: item.price_minor,
        quantity: item.quantity as u32,
        days: Some(item.days),
        rests_at_most: None,
        terms: Terms {
            seller_id: Some(batch.seller_id),
            offer_id: item.offer_id,
            request_hash: request_hash(&ask),
            ..Terms::default()
        },
    }
}

/// What the engine need not be asked for.
fn wrong(item: &ask_batch_item::Model) -> Option<Refusal> {
    let pieces_max = if item.offer_id.is_some() { backing::PIECES_MAX } else { QUANTITY_MAX.into() };
    if !(1..=pieces_max).contains(&item.quantity) {
        return Some(Refusal::QuantityOutOfRange);
    }
    let is_life = DAYS.iter().any(|days| i64::from(*days) == item.days);
    (!is_life).then_some(Refusal::ExpiryInvalid)
}

/// The engine's word as it is kept.
fn told(refusal: matching::Refusal) -> Refusal {
    match refusal {
        matching::Refusal::UnknownMarket => Refusal::MarketNotFound,
        matching::Refusal::PriceOffTick { .. } => Refusal::PriceOffTick,
        matching::Refusal::PriceOutOfRange { .. } => Refusal::PriceOutOfRange,
        matching::Refusal::QuantityZero => Refusal::QuantityOutOfRange,
        matching::Refusal::TooLarge => Refusal::TooLarge,
        matching::Refusal::ExpiryOutOfRange { .. } => Refusal::ExpiryInvalid,
        matching::Refusal::TooManyInMarket { .. } => Refusal::TooManyInMarket,
        matching::Refusal::TooMany { .. } => Refusal::TooMany,
        matching::Refusal::SellingPaused => Refusal::SellingPaused,
        _ => Refusal::Full,
    }
}

/// Writes down what came of an ask: the order's name in the engine, or why there is none.
async fn settle(
    env: &Env,
    item: &ask_batch_item::Model,
    done: Result<(i32, i64), Refusal>,
) -> Result<bool, Failure> {
    let status = if done.is_ok() { Status::Placed } else { Status::Refused };
    let refusal = done.err().map(|refusal| refusal.to_value());
    let (partition, number) = done.ok().unzip();
    ask_batch_item::Entity::update_many()
        .col_expr(Column::Status, Expr::val(status.to_value()))
        .col_expr(Column::Refusal, Expr::val(refusal))
        .col_expr(Column::Partition, Expr::val(partition))
        .col_expr(Column::Number, Expr::val(number))
        .filter(Column::BatchId.eq(item.batch_id))
        .filter(Column::Position.eq(item.position))
        .exec(env.db.write())
        .await?;
    Ok(true)
}
