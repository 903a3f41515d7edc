//! Markets as they move.

use std::collections::BTreeMap;
use std::time::Duration;

use async_graphql::{Context, Enum, Result, SimpleObject, Subscription as Subscribe};
use chassis::auth::Viewer;
use chassis::{Denied, Env};
use contract::{Long, MarketId, Money};
use entity::bidding::{market as row, order};
use futures::{Stream, StreamExt};

use super::loaders::load;
use super::market::{Market, MarketSale};
use super::market_data::{
    BookLevel, CandleInterval, MarketCandle, MarketTrade, book_levels, checksum, levels,
};
use super::order::BookOrder;
use crate::feed::{self, Delta, Desk, Snapshot, Terms, Ticker, Update};
use crate::market::engine_id;

/// The longest pause between two messages that a client may ask for.
const INTERVAL_MS_MAX: i32 = 60_000;
/// Markets of one ticker.
const MARKETS_MAX: usize = 100;

/// What a message about a market is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum MarketUpdateKind {
    /// The market as it is: `bids` and `asks` replace what you have.
    Snapshot,
    /// What happened since `prevSeq`: `bids` and `asks` are the prices that changed. Apply it only when `prevSeq` is the last
    /// `seq` that you saw.
    Delta,
    /// Nothing happened since `seq`, for five seconds.
    Heartbeat,
    /// Trades after `seq` were missed, because you read too slowly. Nothing follows: subscribe again.
    Gap,
}

/// A message about a market.
#[derive(SimpleObject)]
pub struct MarketUpdate {
    /// What it is.
    kind: MarketUpdateKind,
    /// The market's newest event in it. Keep it: `afterSeq` goes on from there.
    seq: Long,
    /// In a delta, the event that you must have seen.
    prev_seq: Option<Long>,
    /// In a delta, the first event in it.
    first_seq: Option<Long>,
    /// Bids, the highest first. In a delta those that changed: the quantity is the new one, and 0 when the price is not among
    /// the best levels any more.
    bids: Vec<BookLevel>,
    /// Asks, the lowest first, as `bids`.
    asks: Vec<BookLevel>,
    /// In a delta, every trade since `prevSeq`, in order.
    trades: Vec<MarketTrade>,
    /// Of the ten best levels of each side after it, as in `MarketDepth`; not in heartbeats and gaps.
    checksum: Option<String>,
}

/// A market's best prices now.
#[derive(SimpleObject)]
pub struct MarketTicker {
    /// The market.
    market: Market,
    /// The market's newest event in it.
    seq: Long,
    /// For so much somebody sells. Null: nobody does.
    lowest_ask: Option<Money>,
    /// For so much somebody buys. Null: nobody does.
    highest_bid: Option<Money>,
    /// The latest trade. Null: there was none.
    last_sale: Option<MarketSale>,
}

/// A bid or an ask of yours that changed.
#[derive(SimpleObject)]
pub struct BookOrderUpdate {
    /// Rises with each change of an order of yours. Keep it: `afterSeq` goes on from there. Changes that follow quickly are
    /// one, so some are left out.
    seq: Long,
    /// The order as it stands.
    order: BookOrder,
}

impl From<order::Model> for BookOrderUpdate {
    fn from(order: order::Model) -> Self {
        Self { seq: Long(order.account_seq), order: BookOrder(order) }
    }
}

pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// A market's book and trades: first as it is, then each change. After a broken connection, name the last `seq` that you
    /// saw, with the same number of levels: what you missed comes at once, or a snapshot when that was too long ago. Ends when
    /// another server takes the market over; subscribe again then.
    async fn market(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The market.")] id: MarketId,
        #[graphql(desc = "The last `seq` that you saw.")] after_seq: Option<Long>,
        #[graphql(desc = "Best prices of each side: 1 to 200, 20 without it.")] levels: Option<i32>,
        #[graphql(
            desc = "The shortest time between two messages: 0 to 60,000, 0 without it. What happens meanwhile comes together."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = MarketUpdate> + use<>> {
        let levels = self::levels(levels)?;
        let after = after_seq.map(read_seq).transpose()?;
        let terms = Terms { levels, interval_min: interval(min_interval_ms)?, after };
        let market = find(ctx, id).await?;
        let updates = ctx.data_unchecked::<Desk>().follow(&market, terms).await?;
        Ok(updates.map(move |update| MarketUpdate::new(&market, update)))
    }

    /// The best prices and the last sale of markets: first as they are, then whenever they change. A client that reads slowly
    /// misses what was in between, never the last.
    async fn tickers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100 markets.")] market_ids: Vec<MarketId>,
    ) -> Result<impl Stream<Item = MarketTicker> + use<>> {
        if !(1..=MARKETS_MAX).contains(&market_ids.len()) {
            return Err(Denied::bad_input("marketIds", format!("must have 1 to {MARKETS_MAX} ids")).into());
        }
        let mut markets = BTreeMap::new();
        for id in market_ids {
            markets.insert(engine_id(id), find(ctx, id).await?);
        }
        let before = last_sales(ctx, &markets).await?;
        let rows: Vec<row::Model> = markets.values().cloned().collect();
        let tickers = ctx.data_unchecked::<Desk>().tickers(&rows).await?;
        Ok(tickers.map(move |ticker| {
            let market = &markets[&ticker.market];
            MarketTicker::new(market, &ticker, before.get(&ticker.market).copied())
        }))
    }

    /// A market's latest candle: as it is, then as each trade changes it. When an interval is over its candle has come whole;
    /// the next one begins with its first trade.
    async fn candle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The market.")] id: MarketId,
        #[graphql(desc = "How long the candle is.")] interval: CandleInterval,
    ) -> Result<impl Stream<Item = MarketCandle> + use<>> {
        let market = find(ctx, id).await?;
        let interval = interval.into();
        let candles = ctx.data_unchecked::<Desk>().candle(&market, interval).await?;
        Ok(candles.map(move |candle| MarketCandle::new(&market, interval, &candle)))
    }

    /// Your bids and asks: those that are open, then each that changes, as it stands then. After a broken connection, name the
    /// last `seq` that you saw: what changed since comes first. Ends with your access token.
    async fn my_book_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last `seq` that you saw.")] after_seq: Option<Long>,
    ) -> Result<impl Stream<Item = Result<BookOrderUpdate>> + use<>> {
        let viewer = Viewer::required(ctx)?;
        let after = after_seq.map(read_seq).transpose()?.map(|seq| seq as i64);
        let env = ctx.data_unchecked::<Env>();
        let orders = feed::mine(env, viewer.user, after, viewer.expires_at).await?;
        Ok(orders.map(|order| Ok(BookOrderUpdate::from(order?))))
    }
}

fn read_seq(seq: Long) -> Result<u64, Denied> {
    u64::try_from(seq.0).map_err(|_| Denied::bad_input("afterSeq", "must be 0 or more"))
}

fn interval(ms: Option<i32>) -> Result<Duration, Denied> {
    let ms = ms.unwrap_or(0);
    if !(0..=INTERVAL_MS_MAX).contains(&ms) {
        return Err(Denied::bad_input("minIntervalMs", format!("must be 0 to {INTERVAL_MS_MAX}")));
    }
    Ok(Duration::from_millis(ms as u64))
}

async fn find(ctx: &Context<'_>, id: MarketId) -> Result<row::Model> {
    let found = load(ctx, id).await?;
    Ok(found.ok_or_else(|| Denied::bad_input("id", "there is no such market"))?)
}

/// The last sales that a process which took the markets over has not seen itself.
async fn last_sales(
    ctx: &Context<'_>,
    markets: &BTreeMap<matching::MarketId, row::Model>,
) -> Result<BTreeMap<matching::MarketId, MarketSale>> {
    let mut sales = BTreeMap::new();
    for (id, market) in markets {
        sales.extend(Market(market.clone()).quote(ctx).await?.last_sale.map(|sale| (*id, sale)));
    }
    Ok(sales)
}

impl MarketUpdate {
    fn new(market: &row::Model, update: Update) -> Self {
        match update {
            Update::Snapshot(snapshot) => Self::snapshot(market, &snapshot),
            Update::Delta(delta) => Self::delta(market, &delta),
            Update::Heartbeat { seq } => Self::empty(MarketUpdateKind::Heartbeat, seq),
            Update::Gap { seq } => Self::empty(MarketUpdateKind::Gap, seq),
        }
    }

    fn snapshot(market: &row::Model, snapshot: &Snapshot) -> Self {
        Self {
            bids: book_levels(market, &snapshot.ladder.bids),
            asks: book_levels(market, &snapshot.ladder.asks),
            checksum: Some(checksum(snapshot.checksum)),
            ..Self::empty(MarketUpdateKind::Snapshot, snapshot.seq)
        }
    }

    fn delta(market: &row::Model, delta: &Delta) -> Self {
        let trades = delta.trades.iter().map(|(seq, trade)| MarketTrade::of_feed(market, *seq, trade));
        Self {
            prev_seq: Some(Long(delta.prev_seq as i64)),
            first_seq: Some(Long(delta.first_seq as i64)),
            bids: book_levels(market, &delta.changes.bids),
            asks: book_levels(market, &delta.changes.asks),
            trades: trades.collect(),
            checksum: Some(checksum(delta.checksum)),
            ..Self::empty(MarketUpdateKind::Delta, delta.seq)
        }
    }

    fn empty(kind: MarketUpdateKind, seq: u64) -> Self {
        Self {
            kind,
            seq: Long(seq as i64),
            prev_seq: None,
            first_seq: None,
            bids: vec![],
            asks: vec![],
            trades: vec![],
            checksum: None,
        }
    }
}

impl MarketTicker {
    fn new(market: &row::Model, ticker: &Ticker, sold_before: Option<MarketSale>) -> Self {
        let money = |minor: i64| market.money(minor);
        let sold = ticker.last_sale.and_then(|(price, ts)| {
            let at = chrono::DateTime::from_timestamp_micros(ts)?;
            Some(MarketSale { price: money(price), at })
        });
        Self {
            market: Market(market.clone()),
            seq: Long(ticker.seq as i64),
            lowest_ask: ticker.lowest_ask.map(money),
            highest_bid: ticker.highest_bid.map(money),
            last_sale: sold.or(sold_before),
        }
    }
}
