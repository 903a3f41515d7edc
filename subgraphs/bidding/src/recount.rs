//! Trades and candles worked out again from the journal: whatever the tables say must follow from it.

mod compare;

use std::collections::BTreeMap;
use std::fmt;

use chassis::{Database, Engine, Failure, Tx, tx};
use chrono::{DateTime, Utc};
use entity::bidding::candle::Span;
use entity::bidding::order::Side;
use entity::bidding::{candle, trade, watermark};
use matching::{BookEvent, Change, Event, Matched};
use sea_orm::sea_query::Expr;
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, IsolationLevel, QueryFilter,
    QueryOrder, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

use crate::candle::store::{self, Candles};
use crate::candle::{Candle, Sale};
use crate::engine::{Journal, Recovered, SqlJournal, replay};

/// Rows of a journal read at once.
const PAGE: u64 = 256;
/// Differences that are told; the rest are counted.
const TOLD_MAX: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Rows of all journals.
    pub rows: u64,
    pub trades: usize,
    pub candles: usize,
    /// Empty: trades and candles are right.
    pub differences: Vec<Difference>,
}

/// Where a table and the journal contradict each other. `None`: it has no such thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Trade { partition: i32, number: i64, table: Option<Known>, journal: Option<Known> },
    Candle { key: (Uuid, Span, DateTime<Utc>), table: Option<Candle>, journal: Option<Candle> },
}

/// What the journal knows of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub market: Uuid,
    pub market_seq: i64,
    pub at: DateTime<Utc>,
    pub price_minor: i64,
    pub quantity: i64,
    pub failed: i64,
    /// Numbers of the two orders.
    pub bid: i64,
    pub ask: i64,
    pub buyer: Uuid,
    pub seller: Uuid,
    pub maker_side: Side,
}

/// What journals lead to.
#[derive(Default)]
struct Recount {
    /// How far each partition was replayed.
    at: BTreeMap<i32, Recovered>,
    rows: u64,
    trades: BTreeMap<(i32, i64), Known>,
    candles: Candles,
}

/// Compares, all as of one moment, while others go on trading.
pub async fn verify(db: &Database) -> Result<Report, Failure> {
    let moment = TransactionOptions {
        isolation_level: (db.engine() == Engine::Postgres).then_some(IsolationLevel::RepeatableRead),
        access_mode: (db.engine() == Engine::Postgres).then_some(AccessMode::ReadOnly),
        ..Default::default()
    };
    let snapshot = db.read().begin_with_options(moment).await?;
    let mut recount = Recount::default();
    recount.follow(db, &watermarks(&snapshot).await?).await?;
    let report = recount.compare(&snapshot).await?;
    snapshot.rollback().await?;
    Ok(report)
}

/// Makes trades and candles what the journals say; what was different. Trading goes on; rows wait for the last moments of it.
pub async fn rebuild(db: &Database) -> Result<Report, Failure> {
    let mut recount = Recount::default();
    recount.follow(db, &watermarks(db.read()).await?).await?;
    tx::apply(db, async |tx| {
        hold_watermarks(tx).await?;
        recount.follow(db, &watermarks(tx).await?).await?;
        let report = recount.compare(tx).await?;
        repair(tx, &report.differences).await?;
        Ok(report)
    })
    .await
}

/// How far the tables follow the journal of each partition.
async fn watermarks(db: &impl ConnectionTrait) -> Result<BTreeMap<i32, u64>, Failure> {
    let rows = watermark::Entity::find().order_by_asc(watermark::Column::Partition).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.partition, row.seq as u64)).collect())
}

/// Until the transaction ends, no follower enters anything.
async fn hold_watermarks(tx: &Tx) -> Result<(), Failure> {
    let same = Expr::col(watermark::Column::Seq);
    watermark::Entity::update_many().col_expr(watermark::Column::Seq, same).exec(tx).await?;
    Ok(())
}

impl Recount {
    /// Replays each journal on, up to these rows.
    async fn follow(&mut self, db: &Database, until: &BTreeMap<i32, u64>) -> Result<(), Failure> {
        for (partition, until) in until {
            let journal = SqlJournal::new(db.clone(), *partition as u32);
            let mut at = self.at.remove(partition).unwrap_or_default();
            while at.seq < *until {
                let before = at.seq;
                for (row, crc32) in journal.rows(before, PAGE.min(until - before)).await? {
                    let mut events = Vec::new();
                    replay(&mut at, &row, crc32, &mut events)?;
                    events.iter().for_each(|event| self.hear(*partition, event));
                }
                if at.seq == before {
                    return Err(Failure::msg(format!(
                        "the journal of partition {partition} ends at row {before}"
                    )));
                }
                self.rows += at.seq - before;
                tokio::task::yield_now().await;
            }
            self.at.insert(*partition, at);
        }
        Ok(())
    }

    fn hear(&mut self, partition: i32, event: &Event) {
        let Event::Book(event) = event else { return };
        match event.change {
            Change::Matched(matched) => {
                let known = known(event, &matched);
                let Known { market_seq: seq, at, price_minor, quantity, .. } = known;
                store::add(&mut self.candles, known.market, &Sale { seq, at, price_minor, quantity });
                self.trades.insert((partition, matched.trade.0 as i64), known);
            }
            Change::PaymentFailed(failed) => {
                let until = (partition, failed.trade.0 as i64);
                // The match that the piece belongs to: the last that begins at it or before it.
                if let Some((_, known)) = self.trades.range_mut(..=until).next_back() {
                    known.failed += 1;
                }
            }
            _ => {}
        }
    }
}

fn known(event: &BookEvent, matched: &Matched) -> Known {
    let Matched { maker, maker_account, taker, taker_account, .. } = *matched;
    let (maker, taker) = ((maker, maker_account), (taker, taker_account));
    let is_bid_maker = matched.maker_side == matching::Side::Bid;
    let (bid, ask) = if is_bid_maker { (maker, taker) } else { (taker, maker) };
    Known {
        market: Uuid::from_u128(event.market.0),
        market_seq: event.seq as i64,
        at: DateTime::from_timestamp_micros(event.ts).unwrap_or_default(),
        price_minor: matched.price,
        quantity: matched.quantity.into(),
        failed: 0,
        bid: bid.0.0 as i64,
        ask: ask.0.0 as i64,
        buyer: Uuid::from_u128(bid.1.0),
        seller: Uuid::from_u128(ask.1.0),
        maker_side: if is_bid_maker { Side::Bid } else { Side::Ask },
    }
}

/// Makes rows what the journal says. What a trade has besides (its fees) stays; a trade that was lost comes back without.
async fn repair(tx: &Tx, differences: &[Difference]) -> Result<(), Failure> {
    for difference in differences {
        match difference {
            Difference::Trade { partition, number, table, journal } => {
                repair_trade(tx, (*partition, *number), table.is_some(), *journal).await?;
            }
            Difference::Candle { key, journal, .. } => repair_candle(tx, *key, *journal).await?,
        }
    }
    Ok(())
}

async fn repair_trade(
    tx: &Tx,
    id: (i32, i64),
    is_there: bool,
    journal: Option<Known>,
) -> Result<(), Failure> {
    match (journal, is_there) {
        (None, _) => _ = trade::Entity::delete_by_id(id).exec(tx).await?,
        (Some(known), true) => _ = trade::Entity::update(known.row(id)).exec(tx).await?,
        (Some(known), false) => _ = trade::Entity::insert(known.row(id)).exec_without_returning(tx).await?,
    }
    Ok(())
}

async fn repair_candle(
    tx: &Tx,
    key: (Uuid, Span, DateTime<Utc>),
    journal: Option<Candle>,
) -> Result<(), Failure> {
    let (market, span, start) = key;
    candle::Entity::delete_many()
        .filter(candle::Column::Market.eq(market))
        .filter(candle::Column::Span.eq(span))
        .filter(candle::Column::Start.eq(start))
        .exec(tx)
        .await?;
    if let Some(candle) = journal {
        let row = store::row((key, candle)).into_active_model();
        candle::Entity::insert(row).exec_without_returning(tx).await?;
    }
    Ok(())
}

impl Report {
    pub fn is_right(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, trades, candles, differences } = self;
        writeln!(f, "{rows} rows of journals replayed: {trades} trades, {candles} candles")?;
        for difference in differences.iter().take(TOLD_MAX) {
            writeln!(f, "{difference}")?;
        }
        match differences.len() {
            0 => write!(f, "trades and candles follow from the journals"),
            total => write!(f, "{total} differences"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trade { partition, number, table, journal } => {
                let (table, journal) = (shown(table), shown(journal));
                write!(
                    f,
                    "trade {number} of partition {partition}: the table says {table}, the journal {journal}"
                )
            }
            Self::Candle { key: (market, span, start), table, journal } => {
                let (table, journal) = (shown(table), shown(journal));
                write!(
                    f,
                    "{span:?} {start} of market {market}: the table says {table}, the journal {journal}"
                )
            }
        }
    }
}

fn shown(what: &Option<impl fmt::Debug>) -> String {
    what.as_ref().map_or_else(|| "nothing".into(), |what| format!("{what:?}"))
}
