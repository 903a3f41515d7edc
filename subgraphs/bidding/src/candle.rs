//! Candles: what a market's matches of one stretch of time come to.
//!
//! Minutes, hours and days are kept as rows by the projection, in the transaction of its watermark. Every other interval is
//! merged from them, and comes to what its matches come to.

pub mod read;
pub mod stats;
pub(crate) mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, Months, TimeDelta, Utc};
use entity::bidding::candle::Span;

/// How long a candle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interval {
    Minute,
    FiveMinutes,
    QuarterHour,
    Hour,
    FourHours,
    Day,
    /// From Monday.
    Week,
    Month,
}

impl Interval {
    pub const ALL: [Self; 8] = [
        Self::Minute,
        Self::FiveMinutes,
        Self::QuarterHour,
        Self::Hour,
        Self::FourHours,
        Self::Day,
        Self::Week,
        Self::Month,
    ];

    /// What it is merged from.
    pub fn span(self) -> Span {
        match self {
            Self::Minute | Self::FiveMinutes | Self::QuarterHour => Span::Minute,
            Self::Hour | Self::FourHours => Span::Hour,
            Self::Day | Self::Week | Self::Month => Span::Day,
        }
    }

    /// When the interval of a time began, in UTC.
    pub fn start(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Minute => floor(at, TimeDelta::minutes(1)),
            Self::FiveMinutes => floor(at, TimeDelta::minutes(5)),
            Self::QuarterHour => floor(at, TimeDelta::minutes(15)),
            Self::Hour => floor(at, TimeDelta::hours(1)),
            Self::FourHours => floor(at, TimeDelta::hours(4)),
            Self::Day => floor(at, TimeDelta::days(1)),
            Self::Week => {
                let day = floor(at, TimeDelta::days(1));
                day - TimeDelta::days(chrono::Datelike::weekday(&day).num_days_from_monday().into())
            }
            Self::Month => {
                let day = floor(at, TimeDelta::days(1));
                day - TimeDelta::days(chrono::Datelike::day0(&day).into())
            }
        }
    }

    /// When the interval that begins at `start` ends: it is not part of it.
    pub fn end(self, start: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Minute => start + TimeDelta::minutes(1),
            Self::FiveMinutes => start + TimeDelta::minutes(5),
            Self::QuarterHour => start + TimeDelta::minutes(15),
            Self::Hour => start + TimeDelta::hours(1),
            Self::FourHours => start + TimeDelta::hours(4),
            Self::Day => start + TimeDelta::days(1),
            Self::Week => start + TimeDelta::weeks(1),
            Self::Month => start.checked_add_months(Months::new(1)).unwrap_or(DateTime::<Utc>::MAX_UTC),
        }
    }
}

impl From<Span> for Interval {
    fn from(span: Span) -> Self {
        match span {
            Span::Minute => Self::Minute,
            Span::Hour => Self::Hour,
            Span::Day => Self::Day,
        }
    }
}

/// Earlier times than 1970 count down, not towards it. Years that nanoseconds do not reach have one candle.
fn floor(at: DateTime<Utc>, width: TimeDelta) -> DateTime<Utc> {
    at.duration_trunc(width).unwrap_or(DateTime::UNIX_EPOCH)
}

/// One match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Of the market's event.
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub price_minor: i64,
    /// Pieces.
    pub quantity: i64,
}

/// Matches of one interval, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    pub start: DateTime<Utc>,
    /// Prices in minor units: of the first match, the highest, the lowest, of the last.
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    /// Pieces.
    pub volume: i64,
    /// Price times pieces, in minor units; ends at what 64 bits hold.
    pub turnover: i64,
    /// Matches.
    pub trades: i64,
    /// The market's sequence at the last match.
    pub last_seq: i64,
}

impl Candle {
    /// The candle of one match.
    pub fn of(interval: Interval, sale: &Sale) -> Self {
        let Sale { seq, at, price_minor, quantity } = *sale;
        Self {
            start: interval.start(at),
            open: price_minor,
            high: price_minor,
            low: price_minor,
            close: price_minor,
            volume: quantity,
            turnover: price_minor.saturating_mul(quantity),
            trades: 1,
            last_seq: seq,
        }
    }

    /// An interval without a match, after one that closed at `price`.
    pub fn empty(start: DateTime<Utc>, price: i64, last_seq: i64) -> Self {
        let (open, high, low, close) = (price, price, price, price);
        Self { start, open, high, low, close, volume: 0, turnover: 0, trades: 0, last_seq }
    }

    /// Adds what came after it, in the same interval.
    pub fn join(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = self.volume.saturating_add(later.volume);
        self.turnover = self.turnover.saturating_add(later.turnover);
        self.trades += later.trades;
        self.last_seq = later.last_seq;
    }
}

/// Candles of sales, which are in the order of their sequence.
pub fn of_sales<'s>(interval: Interval, sales: impl IntoIterator<Item = &'s Sale>) -> Vec<Candle> {
    merge(interval, sales.into_iter().map(|sale| Candle::of(interval, sale)))
}

/// Candles of shorter ones, which are in order.
pub fn merge(interval: Interval, candles: impl IntoIterator<Item = Candle>) -> Vec<Candle> {
    let mut merged: BTreeMap<DateTime<Utc>, Candle> = BTreeMap::new();
    for candle in candles {
        let start = interval.start(candle.start);
        let whole = merged.entry(start).and_modify(|whole| whole.join(&candle));
        whole.or_insert(Candle { start, ..candle });
    }
    merged.into_values().collect()
}

/// Puts an empty candle into each interval of `from..to` without a match, from the first one with a close before it.
/// `before` is what was before `from`.
pub fn fill(
    interval: Interval,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    before: Option<Candle>,
    candles: Vec<Candle>,
) -> Vec<Candle> {
    let mut filled: Vec<Candle> = Vec::new();
    let mut candles = candles.into_iter().peekable();
    let mut last = before;
    let mut start = interval.start(from);
    while start < to {
        let candle = match candles.next_if(|candle| candle.start == start) {
            Some(candle) => Some(candle),
            None => last.map(|last| Candle::empty(start, last.close, last.last_seq)),
        };
        filled.extend(candle);
        last = candle.or(last);
        start = interval.end(start);
    }
    filled
}

#[cfg(test)]
mod tests;
