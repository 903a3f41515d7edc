//! Tables beside what the journals lead to.

use chassis::Failure;
use entity::bidding::{candle, trade};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Difference, Known, Recount, Report};
use crate::candle::Candle;

/// Rows of a table read at once.
const PAGE: u64 = 5_000;

impl Recount {
    /// Every row that is not what the journals say, and what they say that is not there.
    pub(super) async fn compare(&self, db: &impl ConnectionTrait) -> Result<Report, Failure> {
        let mut differences = Vec::new();
        self.compare_trades(db, &mut differences).await?;
        self.compare_candles(db, &mut differences).await?;
        let (trades, candles) = (self.trades.len(), self.candles.len());
        Ok(Report { rows: self.rows, trades, candles, differences })
    }

    async fn compare_trades(
        &self,
        db: &impl ConnectionTrait,
        differences: &mut Vec<Difference>,
    ) -> Result<(), Failure> {
        let mut expected = self.trades.iter().peekable();
        let mut found = |id: (i32, i64), table: Option<Known>, journal: Option<Known>| {
            if table != journal {
                differences.push(Difference::Trade { partition: id.0, number: id.1, table, journal });
            }
        };
        let mut after = None;
        loop {
            let page = trades(db, after).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.partition, last.number));
            for row in &page {
                let id = (row.partition, row.number);
                while let Some((lost, known)) = expected.next_if(|(next, _)| **next < id) {
                    found(*lost, None, Some(*known));
                }
                let journal = expected.next_if(|(next, _)| **next == id).map(|(_, known)| *known);
                found(id, Some(Known::of(row)), journal);
            }
        }
        expected.for_each(|(lost, known)| found(*lost, None, Some(*known)));
        Ok(())
    }

    async fn compare_candles(
        &self,
        db: &impl ConnectionTrait,
        differences: &mut Vec<Difference>,
    ) -> Result<(), Failure> {
        let mut expected = self.candles.clone();
        let mut found = |key, table: Option<Candle>, journal: Option<Candle>| {
            if table != journal {
                differences.push(Difference::Candle { key, table, journal });
            }
        };
        let mut after = None;
        loop {
            let page = candles(db, after).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.market, last.span, last.start));
            for row in page {
                let key = (row.market, row.span, row.start);
                let journal = expected.remove(&key);
                found(key, Some(row.into()), journal);
            }
        }
        expected.into_iter().for_each(|(key, candle)| found(key, None, Some(candle)));
        Ok(())
    }
}

async fn trades(db: &impl ConnectionTrait, after: Option<(i32, i64)>) -> Result<Vec<trade::Model>, Failure> {
    use trade::Column::{Number, Partition};
    let mut page = trade::Entity::find().order_by_asc(Partition).order_by_asc(Number).limit(PAGE);
    if let Some((partition, number)) = after {
        let place = Expr::tuple([Expr::col(Partition), Expr::col(Number)]);
        page = page.filter(place.gt(Expr::tuple([Expr::val(partition), Expr::val(number)])));
    }
    Ok(page.all(db).await?)
}

type Key = (uuid::Uuid, candle::Span, chrono::DateTime<chrono::Utc>);

async fn candles(db: &impl ConnectionTrait, after: Option<Key>) -> Result<Vec<candle::Model>, Failure> {
    use candle::Column::{Market, Span, Start};
    let mut page =
        candle::Entity::find().order_by_asc(Market).order_by_asc(Span).order_by_asc(Start).limit(PAGE);
    if let Some((market, span, start)) = after {
        let place = Expr::tuple([Expr::col(Market), Expr::col(Span), Expr::col(Start)]);
        page = page.filter(place.gt(Expr::tuple([Expr::val(market), Expr::val(span), Expr::val(start)])));
    }
    Ok(page.all(db).await?)
}

impl Known {
    fn of(row: &trade::Model) -> Self {
        Self {
            market: row.market,
            market_seq: row.market_seq,
            at: row.at,
            price_minor: row.price_minor,
            quantity: row.quantity,
            failed: row.failed,
            bid: row.bid,
            ask: row.ask,
            buyer: row.buyer,
            seller: row.seller,
            maker_side: row.maker_side,
        }
    }

    /// The row, as far as the journal knows it.
    pub(super) fn row(self, (partition, number): (i32, i64)) -> trade::ActiveModel {
        trade::ActiveModel {
            partition: Set(partition),
            number: Set(number),
            quantity: Set(self.quantity),
            failed: Set(self.failed),
            market: Set(self.market),
            market_seq: Set(self.market_seq),
            price_minor: Set(self.price_minor),
            bid: Set(self.bid),
            ask: Set(self.ask),
            buyer: Set(self.buyer),
            seller: Set(self.seller),
            maker_side: Set(self.maker_side),
            at: Set(self.at),
            ..Default::default()
        }
    }
}
