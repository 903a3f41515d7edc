//! Rows of orders, trades and candles that follow from events, and what is said of them: at-least-once reading, exactly-once
//! effect by the watermark.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Database, Failure, Tx, tx};
use chrono::{DateTime, Utc};
use entity::bidding::{order, trade, watermark};
use matching::{
    Amended, BookEvent, Cancelled, Change, Event, Expired, Matched, OrderId, PaymentFailed, Placed, Quantity,
    Reason, Rested, Returned, Side, Timestamp,
};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use tracing::error;
use uuid::Uuid;

use super::announce::{self, Books};
use super::{behind, held, numbering, pricing};
use crate::candle::store;
use crate::terms::Terms;

/// Rows in one statement.
const ROWS_MAX: usize = 1_000;

/// The orders, trades and candles of one partition.
#[derive(Clone)]
pub struct Projection {
    db: Database,
    partition: i32,
}

/// What rows of the journal led to.
#[derive(Default)]
pub struct News {
    pub events: Vec<Event>,
    /// What came along with the orders that were placed, as it stands in the journal.
    pub notes: BTreeMap<OrderId, Vec<u8>>,
    /// The books whose ticker is another than before.
    pub books: Books,
}

/// Orders that the events are about.
pub(super) type Orders = BTreeMap<i64, order::Model>;
/// Trades among the events, by the number of their first piece.
pub(super) type Trades = BTreeMap<i64, trade::Model>;

impl Projection {
    pub fn new(db: Database, partition: u32) -> Self {
        Self { db, partition: partition as i32 }
    }

    pub fn db(&self) -> &Database {
        &self.db
    }

    /// The last row of the journal that is in the tables.
    pub async fn watermark(&self) -> Result<u64, Failure> {
        let found = watermark::Entity::find_by_id(self.partition).one(self.db.write()).await?;
        Ok(found.map_or(0, |row| row.seq as u64))
    }

    /// Enters what the journal's rows after `from`, up to `to`, led to. Fails, and changes nothing, when somebody else has
    /// entered them already.
    pub async fn enter(&self, from: u64, to: u64, news: &News) -> Result<(), Failure> {
        let events: Vec<BookEvent> = news.events.iter().filter_map(in_a_book).collect();
        tx::apply(&self.db, async |tx| {
            self.advance(tx, from, to).await?;
            let mut orders = self.touched(tx, &events).await?;
            let mut trades = Trades::new();
            let mut failures: BTreeMap<i64, i64> = BTreeMap::new();
            for event in &events {
                self.enter_one(event, &mut orders, &mut trades, &mut failures);
            }
            carry(&mut orders, &news.notes);
            let behind = behind::enter(tx, self.partition, &events, &orders).await?;
            let held = held::enter(tx, self.partition, &events, &orders).await?;
            let markets = announce::markets(tx, &trades, &news.books).await?;
            pricing::price(tx, &markets, &orders, &mut trades).await?;
            let taken = announce::Taken { behind: &behind, held: &held };
            announce::say(tx, &markets, &orders, &trades, taken, &news.books).await?;
            numbering::number(tx, &mut orders).await?;
            save_orders(tx, orders).await?;
            store::enter(tx, trades.values()).await?;
            save_trades(tx, trades).await?;
            self.save_failures(tx, failures).await
        })
        .await
    }

    /// An order as `events` leave it that are not in its row yet.
    pub fn ahead(&self, order: order::Model, events: &[Event]) -> order::Model {
        let mut orders = Orders::from([(order.number, order.clone())]);
        for event in events.iter().filter_map(in_a_book) {
            self.enter_one(&event, &mut orders, &mut Trades::new(), &mut BTreeMap::new());
        }
        orders.remove(&order.number).unwrap_or(order)
    }

    async fn advance(&self, tx: &Tx, from: u64, to: u64) -> Result<(), Failure> {
        let first = watermark::Model { partition: self.partition, seq: 0 };
        watermark::Entity::insert(first.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        let moved = watermark::Entity::update_many()
            .col_expr(watermark::Column::Seq, Expr::val(to as i64))
            .filter(watermark::Column::Partition.eq(self.partition))
            .filter(watermark::Column::Seq.eq(from as i64))
            .exec(tx)
            .await?;
        match moved.rows_affected {
            1 => Ok(()),
            _ => Err(Failure::msg("somebody else follows this partition")),
        }
    }

    /// Orders of earlier rows that `events` are about.
    async fn touched(&self, tx: &Tx, events: &[BookEvent]) -> Result<Orders, Failure> {
        let mut known = BTreeSet::new();
        let mut touched = BTreeSet::new();
        for event in events {
            if let Change::Placed(placed) = event.change {
                known.insert(placed.order.0 as i64);
            }
            touched.extend(orders_of(&event.change).into_iter().flatten().map(|order| order.0 as i64));
        }
        let earlier: Vec<i64> = touched.difference(&known).copied().collect();
        let mut orders = Orders::new();
        for numbers in earlier.chunks(ROWS_MAX) {
            let found = order::Entity::find()
                .filter(order::Column::Partition.eq(self.partition))
                .filter(order::Column::Number.is_in(numbers.iter().copied()))
                .all(tx)
                .await?;
            orders.extend(found.into_iter().map(|order| (order.number, order)));
        }
        Ok(orders)
    }

    fn enter_one(
        &self,
        event: &BookEvent,
        orders: &mut Orders,
        trades: &mut Trades,
        failures: &mut BTreeMap<i64, i64>,
    ) {
        let at = time(event.ts);
        match event.change {
            Change::Placed(placed) => {
                orders.insert(placed.order.0 as i64, self.placed(event, &placed));
            }
            Change::Matched(matched) => {
                trades.insert(matched.trade.0 as i64, self.matched(event, &matched));
                fill(orders, matched.maker, matched.quantity, matched.maker_remaining, at);
                fill(orders, matched.taker, matched.quantity, matched.taker_remaining, at);
            }
            Change::PaymentFailed(PaymentFailed { trade, ask, bid, .. }) => {
                *failures.entry(trade.0 as i64).or_default() += 1;
                for number in [ask, bid] {
                    change(orders, number, at, |order| order.filled -= 1);
                }
            }
            Change::Rested(Rested { order, quantity, sequence, .. }) => change(orders, order, at, |order| {
                order.sequence = sequence as i64;
                order.remaining = if order.status == order::Status::Open { order.remaining } else { 0 };
                order.status = order::Status::Open;
                order.remaining += i64::from(quantity);
            }),
            Change::Amended(amended) => change(orders, amended.order, at, |order| amend(order, &amended)),
            Change::Cancelled(Cancelled { order, reason, .. }) => change(orders, order, at, |order| {
                (order.status, order.remaining) = (order::Status::Cancelled, 0);
                order.reason = Some(reason_of(reason));
            }),
            Change::Expired(Expired { order, .. }) => change(orders, order, at, |order| {
                (order.status, order.remaining) = (order::Status::Expired, 0);
            }),
            Change::RulesSet(_) | Change::Returned(_) => {}
        }
    }

    fn placed(&self, event: &BookEvent, placed: &Placed) -> order::Model {
        let at = time(event.ts);
        order::Model {
            partition: self.partition,
            number: placed.order.0 as i64,
            market: Uuid::from_u128(event.market.0),
            account: Uuid::from_u128(placed.account.0),
            side: side_of(placed.side),
            price_minor: placed.price,
            quantity: placed.quantity.into(),
            remaining: 0,
            filled: 0,
            status: order::Status::Open,
            reason: None,
            expires_at: placed.expires_at.and_then(DateTime::from_timestamp_micros),
            placed_at: at,
            changed_at: at,
            seller_id: None,
            payment_method: None,
            address_id: None,
            offer_id: None,
            backing_id: None,
            holding_id: None,
            request_hash: None,
            sequence: placed.sequence as i64,
            account_seq: 0,
        }
    }

    fn matched(&self, event: &BookEvent, matched: &Matched) -> trade::Model {
        let Matched { maker, maker_account, taker, taker_account, .. } = *matched;
        let (maker, taker) = ((maker, maker_account), (taker, taker_account));
        let (bid, ask) = if matched.maker_side == Side::Bid { (maker, taker) } else { (taker, maker) };
        trade::Model {
            partition: self.partition,
            number: matched.trade.0 as i64,
            quantity: matched.quantity.into(),
            failed: 0,
            market: Uuid::from_u128(event.market.0),
            market_seq: event.seq as i64,
            price_minor: matched.price,
            bid: bid.0.0 as i64,
            ask: ask.0.0 as i64,
            buyer: Uuid::from_u128(bid.1.0),
            seller: Uuid::from_u128(ask.1.0),
            maker_side: side_of(matched.maker_side),
            at: time(event.ts),
            seller_id: None,
            fee_schedule: None,
            fee_level: None,
            transaction_minor: None,
            processing_minor: None,
            payout_minor: None,
        }
    }

    /// Failures are rare: a statement for each.
    async fn save_failures(&self, tx: &Tx, failures: BTreeMap<i64, i64>) -> Result<(), Failure> {
        for (number, pieces) in failures {
            trade::Entity::update_many()
                .col_expr(trade::Column::Failed, Expr::col(trade::Column::Failed).add(pieces))
                .filter(trade::Column::Partition.eq(self.partition))
                .filter(trade::Column::Number.lte(number))
                .filter(Expr::col(trade::Column::Number).add(Expr::col(trade::Column::Quantity)).gt(number))
                .exec(tx)
                .await?;
        }
        Ok(())
    }
}

async fn save_orders(tx: &Tx, orders: Orders) -> Result<(), Failure> {
    let rows: Vec<order::Model> = orders.into_values().collect();
    for rows in rows.chunks(ROWS_MAX) {
        let on_conflict = OnConflict::columns([order::Column::Partition, order::Column::Number])
            .update_columns([
                order::Column::PriceMinor,
                order::Column::Quantity,
                order::Column::Remaining,
                order::Column::Filled,
                order::Column::Status,
                order::Column::Reason,
                order::Column::ExpiresAt,
                order::Column::ChangedAt,
                order::Column::Sequence,
                order::Column::AccountSeq,
            ])
            .to_owned();
        order::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(on_conflict)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn save_trades(tx: &Tx, trades: Trades) -> Result<(), Failure> {
    let rows: Vec<trade::Model> = trades.into_values().collect();
    for rows in rows.chunks(ROWS_MAX) {
        trade::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Gives orders what came along with them. A note that cannot be read costs the order its terms, not the partition its way.
fn carry(orders: &mut Orders, notes: &BTreeMap<OrderId, Vec<u8>>) {
    for (number, note) in notes {
        let Some(order) = orders.get_mut(&(number.0 as i64)) else { continue };
        match Terms::decode(note) {
            Ok(terms) => {
                order.seller_id = terms.seller_id;
                order.payment_method = terms.payment_method;
                order.address_id = terms.address_id;
                order.offer_id = terms.offer_id;
                order.backing_id = terms.backing_id;
                order.holding_id = terms.holding_id;
                order.request_hash = Some(terms.request_hash);
            }
            Err(error) => {
                error!(order.number = number.0, %error, "The terms of order {} cannot be read", number.0)
            }
        }
    }
}

fn in_a_book(event: &Event) -> Option<BookEvent> {
    match event {
        Event::Book(event) => Some(*event),
        _ => None,
    }
}

fn orders_of(change: &Change) -> [Option<OrderId>; 2] {
    match *change {
        Change::Matched(Matched { maker, taker, .. }) => [Some(maker), Some(taker)],
        Change::PaymentFailed(PaymentFailed { ask, bid, .. }) => [Some(ask), Some(bid)],
        Change::Placed(Placed { order, .. })
        | Change::Rested(Rested { order, .. })
        | Change::Amended(Amended { order, .. })
        | Change::Cancelled(Cancelled { order, .. })
        | Change::Expired(Expired { order, .. })
        | Change::Returned(Returned { order, .. }) => [Some(order), None],
        Change::RulesSet(_) => [None, None],
    }
}

fn change(orders: &mut Orders, number: OrderId, at: DateTime<Utc>, change: impl FnOnce(&mut order::Model)) {
    if let Some(order) = orders.get_mut(&(number.0 as i64)) {
        change(order);
        order.changed_at = at;
    }
}

fn fill(orders: &mut Orders, number: OrderId, quantity: Quantity, remaining: Quantity, at: DateTime<Utc>) {
    change(orders, number, at, |order| {
        order.filled += i64::from(quantity);
        // What is left of an incoming order rests only when the engine says so.
        order.remaining = Ord::max(order.remaining - i64::from(quantity), 0);
        if remaining == 0 {
            order.status = order::Status::Filled;
        }
    });
}

fn amend(order: &mut order::Model, amended: &Amended) {
    order.price_minor = amended.price;
    order.quantity = order.filled + i64::from(amended.remaining);
    order.remaining = if amended.kept_place { amended.remaining.into() } else { 0 };
    order.expires_at = DateTime::from_timestamp_micros(amended.expires_at);
}

pub(super) fn time(ts: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(ts).unwrap_or_default()
}

fn side_of(side: Side) -> order::Side {
    match side {
        Side::Bid => order::Side::Bid,
        Side::Ask => order::Side::Ask,
    }
}

pub fn reason_of(reason: Reason) -> order::Reason {
    match reason {
        Reason::Owner => order::Reason::Owner,
        Reason::Immediate => order::Reason::Immediate,
        Reason::SelfTrade => order::Reason::SelfTrade,
        Reason::SellingPaused => order::Reason::SellingPaused,
        Reason::AuthLapsed => order::Reason::AuthLapsed,
    }
}
