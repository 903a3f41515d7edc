//! Bids and asks: what somebody sends to a market, and what came of it.

mod room;

use std::borrow::Cow;
use std::time::Duration;

use chassis::{Database, Denied, Env, Failure};
use chrono::{DateTime, TimeDelta, Utc};
use contract::{BookOrderId, UserId};
use entity::bidding::{market, order, trade, watermark};
use matching::{
    AccountId, Action, Amend, Amended, Answer, BookEvent, Cancel, Cancelled, Change, Event, Life, Matched,
    OrderId, Place, Placed, Price, Quantity, Reason, Refusal, Rested, SelfTrade, Side, Status, Timestamp,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::apply::apply_market;
use crate::engine::{Answered, Projection};
use crate::floor::{Floor, NoAnswer};
use crate::limits::LOOK_EVERY;
use crate::market::engine_id;
use crate::number::order_of;
use crate::terms::{Terms, engine_key};
use room::{can_grow, is_dearer, known};

/// How long to wait until rows have what was acknowledged.
const ROWS_WAIT: Duration = Duration::from_secs(2);

/// A bid or an ask to be placed.
#[derive(Clone, Debug)]
pub struct NewOrder {
    pub user: UserId,
    /// The mutation and the client's key: the same again is answered once more and done once.
    pub operation: Cow<'static, str>,
    pub key: String,
    pub side: Side,
    /// A bid pays no more, an ask gets no less.
    pub price_minor: Price,
    /// Pieces.
    pub quantity: Quantity,
    /// `None`: now or not at all.
    pub days: Option<i64>,
    /// It ends sooner than that where what is held for it does.
    pub rests_at_most: Option<TimeDelta>,
    pub terms: Terms,
}

impl NewOrder {
    fn life(&self) -> Life {
        let Some(days) = self.days else { return Life::Immediate };
        let wanted = TimeDelta::days(days);
        let life = self.rests_at_most.map_or(wanted, |most| most.min(wanted));
        Life::RestFor { lifetime_us: life.num_microseconds().unwrap_or(i64::MAX) }
    }
}

/// What came of a command about an order.
#[derive(Clone, Debug)]
pub struct Done {
    pub order: order::Model,
    /// Price and pieces of each match that it led to at once.
    pub matches: Vec<(Price, Quantity)>,
    /// Why what was left of it was cancelled at once.
    pub reason: Option<Reason>,
}

/// Sends a new order to its market; answers when it is durable.
pub async fn place(
    env: &Env,
    floor: &Floor,
    market: &market::Model,
    new: NewOrder,
) -> Result<Result<Done, Refusal>, NoAnswer> {
    if market.applied_version == 0 {
        apply_market(floor, market).await?;
    }
    let place = Place {
        account: account(new.user),
        key: Some(engine_key(&new.operation, &new.key)),
        market: engine_id(market.id),
        side: new.side,
        price: new.price_minor,
        quantity: new.quantity,
        life: new.life(),
        self_trade: SelfTrade::ExpireTaker,
        returns: true,
    };
    let partition = market.partition as u32;
    let answered = floor.send(partition, Action::Place(place), new.terms.encode()).await?;
    match outcome(&answered.events) {
        Outcome::Refused(refusal) | Outcome::Repeated(Err(refusal)) => Ok(Err(refusal)),
        Outcome::Repeated(Ok(answer)) => again(env, partition, answered.seq, answer, Some(&new.terms)).await,
        Outcome::New(order) => Ok(Ok(placed(market, new, order, &answered.events))),
    }
}

/// What the owner changes about an order. `None` leaves a field as it is.
#[derive(Clone, Debug)]
pub struct AmendOrder {
    pub user: UserId,
    pub key: String,
    pub id: BookOrderId,
    pub price_minor: Option<Price>,
    /// The new total, what is filled already included.
    pub quantity: Option<Quantity>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Changes an order; answers when that is durable.
pub async fn amend(env: &Env, floor: &Floor, command: AmendOrder) -> Result<Result<Done, Refusal>, NoAnswer> {
    let Some((partition, order)) = named(floor, command.id).await? else {
        return Ok(Err(Refusal::NotActive { status: None }));
    };
    let amend = Amend {
        account: account(command.user),
        key: Some(engine_key("amendBookOrder", &command.key)),
        order,
        price: command.price_minor,
        quantity: command.quantity,
        expires_at: command.expires_at.map(|at| at.timestamp_micros()),
    };
    let known = known(env, partition, order).await?;
    if known.as_ref().is_some_and(|bid| is_dearer(bid, &command)) {
        return Ok(Err(Refusal::NotLess));
    }
    let action = match known.is_some_and(|order| can_grow(&order)) {
        true => Action::Amend(amend),
        false => Action::Reduce(amend),
    };
    let answered = floor.send(partition, action, Vec::new()).await?;
    changed(env, command.user, partition, order, &answered).await
}

/// Takes an order back; answers when that is durable.
pub async fn cancel(
    env: &Env,
    floor: &Floor,
    user: UserId,
    key: &str,
    id: BookOrderId,
) -> Result<Result<Done, Refusal>, NoAnswer> {
    let Some((partition, order)) = named(floor, id).await? else {
        return Ok(Err(Refusal::NotActive { status: None }));
    };
    let cancel = Cancel { account: account(user), key: Some(engine_key("cancelBookOrder", key)), order };
    let answered = floor.send(partition, Action::Cancel(cancel), Vec::new()).await?;
    changed(env, user, partition, order, &answered).await
}

/// The partition and the number that an id names. `None`: nothing can have this id.
async fn named(floor: &Floor, id: BookOrderId) -> Result<Option<(u32, OrderId)>, Failure> {
    Ok(match order_of(id) {
        Some((partition, order)) if floor.has(partition).await? => Some((partition, order)),
        _ => None,
    })
}

/// How the engine answered one command.
enum Outcome {
    New(OrderId),
    Repeated(Result<Answer, Refusal>),
    Refused(Refusal),
}

fn outcome(events: &[Event]) -> Outcome {
    let told = events.iter().find_map(|event| match event {
        Event::Repeated { answer, .. } => Some(Outcome::Repeated(*answer)),
        Event::Refused { refusal, .. } => Some(Outcome::Refused(*refusal)),
        Event::Book(BookEvent { change, .. }) => match change {
            Change::Placed(Placed { order, .. }) | Change::Amended(Amended { order, .. }) => {
                Some(Outcome::New(*order))
            }
            Change::Cancelled(Cancelled { order, reason: Reason::Owner, .. }) => Some(Outcome::New(*order)),
            _ => None,
        },
        _ => None,
    });
    told.unwrap_or(Outcome::Refused(Refusal::NotActive { status: None }))
}

/// An order as it is right after its command, without a look at the rows that follow.
fn placed(market: &market::Model, new: NewOrder, number: OrderId, events: &[Event]) -> Done {
    let story = Story::of(number, events);
    let filled: Quantity = story.matches.iter().map(|(_, quantity)| quantity).sum();
    let status = match (story.rests, filled == new.quantity) {
        (Some(_), _) => order::Status::Open,
        (None, true) => order::Status::Filled,
        (None, false) => order::Status::Cancelled,
    };
    let at = DateTime::from_timestamp_micros(story.at).unwrap_or_default();
    let order = order::Model {
        partition: market.partition,
        number: number.0 as i64,
        market: market.id.0,
        account: new.user.0,
        side: if new.side == Side::Bid { order::Side::Bid } else { order::Side::Ask },
        price_minor: new.price_minor,
        quantity: new.quantity.into(),
        remaining: story.rests.unwrap_or(0).into(),
        filled: filled.into(),
        status,
        reason: story.reason.map(crate::engine::reason_of),
        expires_at: story.expires_at.and_then(DateTime::from_timestamp_micros),
        placed_at: at,
        changed_at: at,
        seller_id: new.terms.seller_id,
        payment_method: new.terms.payment_method,
        address_id: new.terms.address_id,
        offer_id: new.terms.offer_id,
        backing_id: new.terms.backing_id,
        holding_id: new.terms.holding_id,
        request_hash: Some(new.terms.request_hash),
        sequence: story.sequence as i64,
        // Its changes are numbered with the rows that follow.
        account_seq: 0,
    };
    Done { order, matches: story.matches, reason: story.reason }
}

/// What the events of a command say about one order.
#[derive(Default)]
struct Story {
    at: Timestamp,
    matches: Vec<(Price, Quantity)>,
    rests: Option<Quantity>,
    reason: Option<Reason>,
    expires_at: Option<Timestamp>,
    sequence: u64,
}

impl Story {
    fn of(number: OrderId, events: &[Event]) -> Self {
        let mut story = Self::default();
        for event in events {
            let Event::Book(BookEvent { ts, change, .. }) = event else { continue };
            match *change {
                Change::Placed(Placed { order, expires_at, sequence, .. }) if order == number => {
                    (story.at, story.expires_at, story.sequence) = (*ts, expires_at, sequence);
                }
                Change::Matched(Matched { taker, price, quantity, .. }) if taker == number => {
                    story.matches.push((price, quantity));
                }
                Change::Rested(Rested { order, quantity, .. }) if order == number => {
                    story.rests = Some(quantity);
                }
                Change::Cancelled(Cancelled { order, reason, .. }) if order == number => {
                    story.reason = Some(reason);
                }
                _ => {}
            }
        }
        story
    }
}

async fn changed(
    env: &Env,
    user: UserId,
    partition: u32,
    number: OrderId,
    answered: &Answered,
) -> Result<Result<Done, Refusal>, NoAnswer> {
    match outcome(&answered.events) {
        Outcome::Refused(Refusal::NotActive { status: Some(_) })
            if !is_of(env, user, partition, number, answered.seq).await? =>
        {
            Ok(Err(Refusal::NotActive { status: None }))
        }
        Outcome::Refused(refusal) | Outcome::Repeated(Err(refusal)) => Ok(Err(refusal)),
        Outcome::Repeated(Ok(answer)) => again(env, partition, answered.seq, answer, None).await,
        Outcome::New(_) => {
            let order = acknowledged(env, partition, number, answered).await?;
            let story = Story::of(number, &answered.events);
            Ok(Ok(Done { order, matches: story.matches, reason: story.reason }))
        }
    }
}

/// Whether an order that is not in the book any more was `user`'s: how another's ended is nobody's business.
async fn is_of(env: &Env, user: UserId, partition: u32, number: OrderId, seq: u64) -> Result<bool, NoAnswer> {
    wait_for_rows(&env.db, partition, seq).await?;
    let found = order::Entity::find_by_id((partition as i32, number.0 as i64)).one(env.db.read()).await?;
    Ok(found.is_some_and(|order| order.account == user.0))
}

/// The answer to a repeat: the order as it was answered then. Terms that differ are another request.
async fn again(
    env: &Env,
    partition: u32,
    seq: u64,
    answer: Answer,
    terms: Option<&Terms>,
) -> Result<Result<Done, Refusal>, NoAnswer> {
    let mut order = row(env, partition, answer.order, seq).await?;
    if terms.is_some_and(|terms| order.request_hash.as_ref() != Some(&terms.request_hash)) {
        return Ok(Err(Refusal::IdempotencyConflict));
    }
    order.filled = answer.filled.into();
    order.remaining = answer.remaining.into();
    order.status = status(answer.status);
    let matches = if terms.is_some() { first_matches(env, &order).await? } else { Vec::new() };
    let met_own = order.status == order::Status::Cancelled && order.reason == Some(order::Reason::SelfTrade);
    Ok(Ok(Done { order, matches, reason: met_own.then_some(Reason::SelfTrade) }))
}

/// What an order was matched with by the time at which it had `filled` pieces.
async fn first_matches(env: &Env, order: &order::Model) -> Result<Vec<(Price, Quantity)>, Failure> {
    if order.filled == 0 {
        return Ok(Vec::new());
    }
    let own = if order.side == order::Side::Bid { trade::Column::Bid } else { trade::Column::Ask };
    let rows = trade::Entity::find()
        .filter(trade::Column::Partition.eq(order.partition))
        .filter(own.eq(order.number))
        .order_by_asc(trade::Column::Number);
    let mut left = order.filled;
    let mut matches = rows.all(env.db.read()).await?;
    matches.retain(|row| {
        let is_first = left > 0;
        left -= row.quantity;
        is_first
    });
    Ok(matches.into_iter().map(|row| (row.price_minor, row.quantity as Quantity)).collect())
}

pub fn status(status: Status) -> order::Status {
    match status {
        Status::Open => order::Status::Open,
        Status::Filled => order::Status::Filled,
        Status::Cancelled => order::Status::Cancelled,
        Status::Expired => order::Status::Expired,
    }
}

/// An order's row, once the rows have the journal up to `seq`.
pub(crate) async fn row(
    env: &Env,
    partition: u32,
    number: OrderId,
    seq: u64,
) -> Result<order::Model, NoAnswer> {
    wait_for_rows(&env.db, partition, seq).await?;
    find(env, partition, number).await
}

async fn find(env: &Env, partition: u32, number: OrderId) -> Result<order::Model, NoAnswer> {
    let found = order::Entity::find_by_id((partition as i32, number.0 as i64)).one(env.db.read()).await?;
    found.ok_or_else(|| NoAnswer::Denied(Denied::NotNow("it is done; ask again with the same key to see it")))
}

/// An order as its owner changed it, also when the rows lag behind.
async fn acknowledged(
    env: &Env,
    partition: u32,
    number: OrderId,
    answered: &Answered,
) -> Result<order::Model, NoAnswer> {
    if wait_for_rows(&env.db, partition, answered.seq).await? {
        return find(env, partition, number).await;
    }
    let order = find(env, partition, number).await?;
    // Asked after the order was read: what the rows have by now is not entered twice.
    if has_rows(&env.db, partition, answered.seq).await? {
        return find(env, partition, number).await;
    }
    Ok(Projection::new(env.db.clone(), partition).ahead(order, &answered.events))
}

/// Waits until the tables of a partition have its journal up to `seq`, at most two seconds; whether they have.
pub async fn wait_for_rows(db: &Database, partition: u32, seq: u64) -> Result<bool, Failure> {
    let looking = async {
        while !has_rows(db, partition, seq).await? {
            tokio::time::sleep(LOOK_EVERY / 4).await;
        }
        Ok(true)
    };
    tokio::time::timeout(ROWS_WAIT, looking).await.unwrap_or(Ok(false))
}

async fn has_rows(db: &Database, partition: u32, seq: u64) -> Result<bool, Failure> {
    let found = watermark::Entity::find_by_id(partition as i32).one(db.look()).await?;
    Ok(found.is_some_and(|watermark| watermark.seq as u64 >= seq))
}

fn account(user: UserId) -> AccountId {
    AccountId(user.0.as_u128())
}
