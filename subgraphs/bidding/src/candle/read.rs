//! Candles as somebody asks for them.

use chassis::{Database, Failure};
use chrono::{DateTime, Utc};
use entity::bidding::candle::{self, Span};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{Candle, Interval, fill, merge};

/// Candles of one answer.
pub const CANDLES_MAX: usize = 1_000;

/// A stretch of a market's chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub interval: Interval,
    /// In the first candle.
    pub from: DateTime<Utc>,
    /// Where the last candle begins, it begins before this.
    pub to: DateTime<Utc>,
    /// Whether intervals without a match show the close before them.
    pub is_filled: bool,
}

impl Wanted {
    /// Whether it is more than one answer has.
    pub fn is_too_long(&self) -> bool {
        let mut start = self.interval.start(self.from);
        for _ in 0..CANDLES_MAX {
            if start >= self.to {
                return false;
            }
            start = self.interval.end(start);
        }
        start < self.to
    }
}

/// The candles of a market. Ask [`Wanted::is_too_long`] first.
pub async fn candles(db: &Database, market: Uuid, wanted: Wanted) -> Result<Vec<Candle>, Failure> {
    let Wanted { interval, from, to, is_filled } = wanted;
    let first = interval.start(from);
    // The last interval is whole.
    let end = if to > first {
        interval.end(interval.start(to - chrono::TimeDelta::microseconds(1)))
    } else {
        first
    };
    let rows = candle::Entity::find()
        .filter(candle::Column::Market.eq(market))
        .filter(candle::Column::Span.eq(interval.span()))
        .filter(candle::Column::Start.gte(first))
        .filter(candle::Column::Start.lt(end))
        .order_by_asc(candle::Column::Start)
        .all(db.read())
        .await?;
    let merged = merge(interval, rows.into_iter().map(Candle::from));
    if !is_filled {
        return Ok(merged);
    }
    let before = last_before(db, market, first).await?;
    Ok(fill(interval, first, to, before, merged))
}

/// The last minute with a match before a time.
async fn last_before(db: &Database, market: Uuid, before: DateTime<Utc>) -> Result<Option<Candle>, Failure> {
    let row = candle::Entity::find()
        .filter(candle::Column::Market.eq(market))
        .filter(candle::Column::Span.eq(Span::Minute))
        .filter(candle::Column::Start.lt(before))
        .order_by_desc(candle::Column::Start)
        .one(db.read())
        .await?;
    Ok(row.map(Candle::from))
}

/// The latest candle with a match.
pub async fn latest(db: &Database, market: Uuid, interval: Interval) -> Result<Option<Candle>, Failure> {
    let last = candle::Entity::find()
        .filter(candle::Column::Market.eq(market))
        .filter(candle::Column::Span.eq(interval.span()))
        .order_by_desc(candle::Column::Start)
        .one(db.read())
        .await?;
    let Some(last) = last else { return Ok(None) };
    let (from, to) = (last.start, interval.end(interval.start(last.start)));
    let wanted = Wanted { interval, from, to, is_filled: false };
    Ok(candles(db, market, wanted).await?.pop())
}
