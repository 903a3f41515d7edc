//! What a market's sales of the last year come to.

use chassis::{Database, Failure};
use chrono::{DateTime, TimeDelta, Utc};
use entity::bidding::candle::{self, Span};
use entity::bidding::trade;
use futures::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Interval, Sale};

/// 52 weeks and a day.
const YEAR: TimeDelta = TimeDelta::days(365);
const QUARTER: TimeDelta = TimeDelta::days(90);
const THREE_DAYS: TimeDelta = TimeDelta::hours(72);
const DAY: TimeDelta = TimeDelta::hours(24);
/// Sales below which there is no volatility.
const VOLATILITY_SALES_MIN: u64 = 5;

/// Numbers about a market at one moment. Prices are in minor units; a sale is a match, of one piece or more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Of the matches with `ts > now - 365 d`.
    pub high_52w: Option<i64>,
    pub low_52w: Option<i64>,
    pub sales_72h: u64,
    /// Of the pieces sold in 90 days, half up.
    pub mean_90d: Option<i64>,
    /// The last sale's price minus that of the last sale that is a day old or older.
    pub change_24h: Option<i64>,
    /// The sample standard deviation of ln(p[i] / p[i-1]) over consecutive sales of 90 days.
    pub volatility: Option<f64>,
    pub last_sale: Option<Sale>,
}

/// The numbers of a market at `now`.
pub async fn stats(db: &Database, market: Uuid, now: DateTime<Utc>) -> Result<Stats, Failure> {
    let (high_52w, low_52w) = extremes(db, market, now - YEAR).await?;
    let last_sale = last_sale(db, market, now).await?;
    let a_day_ago = last_sale_until(db, market, now - DAY).await?;
    let quarter = quarter(db, market, now).await?;
    Ok(Stats {
        high_52w,
        low_52w,
        sales_72h: quarter.sales_72h,
        mean_90d: quarter.mean(),
        change_24h: last_sale.zip(a_day_ago).map(|(last, before)| last.price_minor - before.price_minor),
        volatility: quarter.volatility(),
        last_sale,
    })
}

/// The latest match of a market.
pub async fn last_sale(db: &Database, market: Uuid, now: DateTime<Utc>) -> Result<Option<Sale>, Failure> {
    last_sale_until(db, market, now).await
}

async fn last_sale_until(db: &Database, market: Uuid, until: DateTime<Utc>) -> Result<Option<Sale>, Failure> {
    let trade = trade::Entity::find()
        .filter(trade::Column::Market.eq(market))
        .filter(trade::Column::At.lte(until))
        .order_by_desc(trade::Column::At)
        .order_by_desc(trade::Column::MarketSeq)
        .one(db.read())
        .await?;
    Ok(trade.as_ref().map(Sale::from))
}

/// The highest and the lowest price after `after`: of whole days from their candles, of the day it is in from its matches.
async fn extremes(
    db: &Database,
    market: Uuid,
    after: DateTime<Utc>,
) -> Result<(Option<i64>, Option<i64>), Failure> {
    let midnight = Interval::Day.end(Interval::Day.start(after));
    let days: Option<(Option<i64>, Option<i64>)> = candle::Entity::find()
        .select_only()
        .column_as(candle::Column::High.max(), "high")
        .column_as(candle::Column::Low.min(), "low")
        .filter(candle::Column::Market.eq(market))
        .filter(candle::Column::Span.eq(Span::Day))
        .filter(candle::Column::Start.gte(midnight))
        .into_tuple()
        .one(db.read())
        .await?;
    let first_day: Option<(Option<i64>, Option<i64>)> = trade::Entity::find()
        .select_only()
        .column_as(trade::Column::PriceMinor.max(), "high")
        .column_as(trade::Column::PriceMinor.min(), "low")
        .filter(trade::Column::Market.eq(market))
        .filter(trade::Column::At.gt(after))
        .filter(trade::Column::At.lt(midnight))
        .into_tuple()
        .one(db.read())
        .await?;
    let (days, first_day) = (days.unwrap_or_default(), first_day.unwrap_or_default());
    let low = [days.1, first_day.1].into_iter().flatten().min();
    Ok((days.0.max(first_day.0), low))
}

async fn quarter(db: &Database, market: Uuid, now: DateTime<Utc>) -> Result<Quarter, Failure> {
    let mut quarter = Quarter::new(now);
    let mut sales = trade::Entity::find()
        .select_only()
        .columns([
            trade::Column::MarketSeq,
            trade::Column::At,
            trade::Column::PriceMinor,
            trade::Column::Quantity,
        ])
        .filter(trade::Column::Market.eq(market))
        .filter(trade::Column::At.gt(now - QUARTER))
        .order_by_asc(trade::Column::MarketSeq)
        .into_tuple::<(i64, DateTime<Utc>, i64, i64)>()
        .stream(db.read())
        .await?;
    while let Some((seq, at, price_minor, quantity)) = sales.try_next().await? {
        quarter.add(&Sale { seq, at, price_minor, quantity });
    }
    Ok(quarter)
}

/// The sales of 90 days, added up one after the other.
struct Quarter {
    now: DateTime<Utc>,
    sales: u64,
    sales_72h: u64,
    pieces: i128,
    turnover: i128,
    last_price: Option<i64>,
    /// Of the returns so far: how many, their mean, and the sum of squared distances from it (Welford).
    returns: f64,
    mean_return: f64,
    squares: f64,
}

impl Quarter {
    fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            sales: 0,
            sales_72h: 0,
            pieces: 0,
            turnover: 0,
            last_price: None,
            returns: 0.0,
            mean_return: 0.0,
            squares: 0.0,
        }
    }

    fn add(&mut self, sale: &Sale) {
        self.sales += 1;
        self.sales_72h += u64::from(sale.at > self.now - THREE_DAYS);
        self.pieces += i128::from(sale.quantity);
        self.turnover += i128::from(sale.price_minor) * i128::from(sale.quantity);
        if let Some(before) = self.last_price.replace(sale.price_minor) {
            self.add_return((sale.price_minor as f64 / before as f64).ln());
        }
    }

    fn add_return(&mut self, value: f64) {
        self.returns += 1.0;
        let distance = value - self.mean_return;
        self.mean_return += distance / self.returns;
        self.squares += distance * (value - self.mean_return);
    }

    fn mean(&self) -> Option<i64> {
        let doubled = (self.pieces > 0).then(|| (2 * self.turnover + self.pieces) / (2 * self.pieces))?;
        i64::try_from(doubled).ok()
    }

    fn volatility(&self) -> Option<f64> {
        (self.sales >= VOLATILITY_SALES_MIN).then(|| (self.squares / (self.returns - 1.0)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarter(prices: &[(i64, i64)]) -> Quarter {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut quarter = Quarter::new(now);
        for (price_minor, quantity) in prices {
            quarter.add(&Sale { seq: 1, at: now, price_minor: *price_minor, quantity: *quantity });
        }
        quarter
    }

    #[test]
    fn a_mean_is_that_of_pieces_half_up() {
        for (prices, mean) in [
            (&[][..], None),
            (&[(100, 1)], Some(100)),
            (&[(100, 1), (101, 1)], Some(101)),
            (&[(100, 2), (101, 1)], Some(100)),
            (&[(100, 3), (500, 1)], Some(200)),
        ] {
            assert_eq!(quarter(prices).mean(), mean, "{prices:?}");
        }
    }

    #[test]
    fn volatility_is_the_sample_deviation_of_log_returns() {
        let sales = [(100, 1), (110, 1), (99, 1), (105, 1), (105, 7)];
        assert_eq!(quarter(&sales[..4]).volatility(), None);
        // ln 1.1 = 0.0953102, ln 0.9 = -0.1053605, ln 35/33 = 0.0588405, ln 1 = 0: mean 0.0121975; squared distances sum to
        // 0.0230520; a third of it is 0.0076840, its root 0.0876583.
        let found = quarter(&sales).volatility().unwrap();
        assert!((found - 0.087_658_338_730_635_7).abs() < 1e-12, "{found}");
        assert_eq!(quarter(&[(100, 1); 9]).volatility(), Some(0.0));
    }
}
