//! What a market's past and its book look like: depth, trades, candles and numbers.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Result, SimpleObject};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Env};
use chrono::{DateTime, Utc};
use contract::{Long, Money, TradeId};
use entity::bidding::{market as row, trade};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::market::MarketSale;
use super::order::BookSide;
use crate::candle::read::{self, CANDLES_MAX, Wanted};
use crate::candle::{Candle, Interval, stats};
use crate::feed::{self, Ladder};
use crate::floor::Floor;
use crate::market::engine_id;
use crate::number::trade_id;

/// Levels of each side when the client does not say.
pub(super) const LEVELS_DEFAULT: i32 = 20;
/// Levels of each side at most.
const LEVELS_MAX: i32 = 200;

/// Pieces that rest at a price.
#[derive(Clone, Copy, SimpleObject)]
pub struct BookLevel {
    /// The price of one piece.
    price: Money,
    /// Pieces. In a change: how many there are now; 0 takes the price out of the book.
    quantity: Long,
}

/// The best prices of a market.
#[derive(SimpleObject)]
pub struct MarketDepth {
    /// The market's newest event in it; the subscription `market` goes on from here.
    seq: Long,
    /// What is bid, the highest first.
    bids: Vec<BookLevel>,
    /// What is asked, the lowest first.
    asks: Vec<BookLevel>,
    /// CRC32, in hexadecimal, of the ten best bids and the ten best asks as text: `price:quantity` in minor units, a comma
    /// between levels, `|` between the sides.
    checksum: String,
}

/// Pieces that changed hands at one price.
#[derive(SimpleObject)]
pub struct MarketTrade {
    /// The id of the first piece.
    id: TradeId,
    /// The market's event.
    seq: Long,
    /// The price of one piece.
    price: Money,
    /// Pieces.
    quantity: Long,
    /// Who was there first: the price is theirs.
    maker_side: BookSide,
    /// When they were matched.
    at: DateTime<Utc>,
}

/// How long a candle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Interval")]
pub enum CandleInterval {
    /// A minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// 15 minutes.
    QuarterHour,
    /// An hour.
    Hour,
    /// Four hours, from midnight.
    FourHours,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month of the calendar.
    Month,
}

/// What an interval without a trade shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CandleFill {
    /// Nothing: there is no candle.
    None,
    /// The close before it, with nothing sold.
    Previous,
}

/// The trades of one interval of time, in UTC.
#[derive(SimpleObject)]
pub struct MarketCandle {
    /// Its first moment.
    start: DateTime<Utc>,
    /// The first moment after it.
    end: DateTime<Utc>,
    /// The first price.
    open: Money,
    /// The highest price.
    high: Money,
    /// The lowest price.
    low: Money,
    /// The last price.
    close: Money,
    /// Pieces sold.
    volume: Long,
    /// What was paid for them.
    turnover: Money,
    /// Trades.
    trades: Long,
}

/// Numbers about a market now. A sale is a trade, of one piece or more.
#[derive(SimpleObject)]
pub struct MarketStats {
    /// The highest price of the last 365 days.
    high52_weeks: Option<Money>,
    /// The lowest price of the last 365 days.
    low52_weeks: Option<Money>,
    /// Sales in the last 72 hours.
    sales72_hours: Long,
    /// The mean price of the pieces sold in the last 90 days.
    mean_price90_days: Option<Money>,
    /// The last sale's price minus that of the last sale that is 24 hours old or older.
    change24_hours: Option<Money>,
    /// The standard deviation of the logarithmic returns from sale to sale in the last 90 days. Null below 5 sales.
    volatility: Option<f64>,
    /// What a new one costs in a shop, if that is known.
    retail_price: Option<Money>,
    /// How much more than the retail price the last sale brought: 0.25 is a quarter more.
    premium: Option<f64>,
    /// The last sale.
    last_sale: Option<MarketSale>,
}

/// Checks an argument of levels.
pub(super) fn levels(levels: Option<i32>) -> Result<usize, Denied> {
    let levels = levels.unwrap_or(LEVELS_DEFAULT);
    if !(1..=LEVELS_MAX).contains(&levels) {
        return Err(Denied::bad_input("levels", format!("must be 1 to {LEVELS_MAX}")));
    }
    Ok(levels as usize)
}

/// What rests in a market: as acknowledged where its partition is written here, else as its rows have it.
pub(super) async fn depth(ctx: &Context<'_>, market: &row::Model, levels: usize) -> Result<MarketDepth> {
    let handle = ctx.data_unchecked::<Floor>().known(market.partition as u32);
    let shown = handle.and_then(|handle| {
        handle
            .view()
            .look(engine_id(market.id), |board| (board.picture.seq, Ladder::of(&board.picture, levels)))
    });
    let (seq, ladder) = match shown {
        Some(shown) => shown,
        None => feed::rows::ladder(&ctx.data_unchecked::<Env>().db, market.id, levels).await?,
    };
    Ok(MarketDepth {
        seq: Long(seq as i64),
        bids: book_levels(market, &ladder.bids),
        asks: book_levels(market, &ladder.asks),
        checksum: checksum(ladder.checksum()),
    })
}

pub(super) fn book_levels(market: &row::Model, levels: &[feed::Level]) -> Vec<BookLevel> {
    let level = |level: &feed::Level| BookLevel {
        price: market.money(level.price),
        quantity: Long(level.quantity as i64),
    };
    levels.iter().map(level).collect()
}

pub(super) fn checksum(crc32: u32) -> String {
    format!("{crc32:08x}")
}

/// A market's trades, the newest first.
pub(super) async fn trades(
    ctx: &Context<'_>,
    market: &row::Model,
    page: Page<i64>,
) -> Result<Connection<Cursor<i64>, MarketTrade>> {
    let mut wanted = trade::Entity::find().filter(trade::Column::Market.eq(market.id.0));
    if let Some(after) = page.after {
        wanted = wanted.filter(trade::Column::MarketSeq.lt(after));
    }
    let wanted = wanted.order_by_desc(trade::Column::MarketSeq).limit(page.rows());
    let rows = wanted.all(ctx.data_unchecked::<Env>().db.read()).await.map_err(chassis::Failure::from)?;
    Ok(page.connection(rows, |row| row.market_seq, |row| MarketTrade::of_row(market, &row)))
}

impl MarketTrade {
    fn of_row(market: &row::Model, row: &trade::Model) -> Self {
        Self {
            id: trade_id(row.partition, row.number),
            seq: Long(row.market_seq),
            price: market.money(row.price_minor),
            quantity: Long(row.quantity),
            maker_side: row.maker_side.into(),
            at: row.at,
        }
    }

    /// As the feed tells it, with the market's sequence.
    pub(super) fn of_feed(market: &row::Model, seq: u64, trade: &crate::engine::Trade) -> Self {
        Self {
            id: trade_id(market.partition, trade.trade.0 as i64),
            seq: Long(seq as i64),
            price: market.money(trade.price),
            quantity: Long(trade.quantity.into()),
            maker_side: match trade.maker_side {
                matching::Side::Bid => BookSide::Bid,
                matching::Side::Ask => BookSide::Ask,
            },
            at: DateTime::from_timestamp_micros(trade.ts).unwrap_or_default(),
        }
    }
}

/// A stretch of a market's chart.
pub(super) async fn candles(
    ctx: &Context<'_>,
    market: &row::Model,
    interval: CandleInterval,
    (from, to): (DateTime<Utc>, Option<DateTime<Utc>>),
    fill: CandleFill,
) -> Result<Vec<MarketCandle>> {
    let env = ctx.data_unchecked::<Env>();
    let now = env.clock.now();
    // What is yet to come is not filled.
    let to = to.map_or(now, |to| to.min(now));
    let is_filled = fill == CandleFill::Previous;
    let wanted = Wanted { interval: interval.into(), from, to, is_filled };
    if wanted.is_too_long() {
        return Err(Denied::bad_input(
            "from",
            format!("must be at most {CANDLES_MAX} intervals before `to`"),
        )
        .into());
    }
    let candles = read::candles(&env.db, market.id.0, wanted).await?;
    Ok(candles.iter().map(|candle| MarketCandle::new(market, wanted.interval, candle)).collect())
}

impl MarketCandle {
    pub(super) fn new(market: &row::Model, interval: Interval, candle: &Candle) -> Self {
        let money = |minor| market.money(minor);
        Self {
            start: candle.start,
            end: interval.end(candle.start),
            open: money(candle.open),
            high: money(candle.high),
            low: money(candle.low),
            close: money(candle.close),
            volume: Long(candle.volume),
            turnover: money(candle.turnover),
            trades: Long(candle.trades),
        }
    }
}

/// Numbers about a market now.
pub(super) async fn market_stats(ctx: &Context<'_>, market: &row::Model) -> Result<MarketStats> {
    let env = ctx.data_unchecked::<Env>();
    let stats = stats::stats(&env.db, market.id.0, env.clock.now()).await?;
    let money = |minor: i64| market.money(minor);
    let last_sale = stats.last_sale.map(|sale| MarketSale { price: money(sale.price_minor), at: sale.at });
    let premium = |(sale, retail): (crate::candle::Sale, i64)| sale.price_minor as f64 / retail as f64 - 1.0;
    Ok(MarketStats {
        high52_weeks: stats.high_52w.map(money),
        low52_weeks: stats.low_52w.map(money),
        sales72_hours: Long(stats.sales_72h as i64),
        mean_price90_days: stats.mean_90d.map(money),
        change24_hours: stats.change_24h.map(money),
        volatility: stats.volatility,
        retail_price: market.retail_minor.map(money),
        premium: stats.last_sale.zip(market.retail_minor).map(premium),
        last_sale,
    })
}
