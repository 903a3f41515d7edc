//! Candles as rows.

use std::collections::BTreeMap;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use entity::bidding::candle::{self, Span};
use entity::bidding::trade;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::{Candle, Sale};

/// Rows in one statement.
const ROWS_MAX: usize = 1_000;
/// What is kept; the rest is merged from it.
const SPANS: [Span; 3] = [Span::Minute, Span::Hour, Span::Day];

/// Candles by market, span and start.
pub(crate) type Candles = BTreeMap<(Uuid, Span, DateTime<Utc>), Candle>;

impl From<&trade::Model> for Sale {
    fn from(trade: &trade::Model) -> Self {
        let trade::Model { market_seq: seq, at, price_minor, quantity, .. } = *trade;
        Self { seq, at, price_minor, quantity }
    }
}

impl From<candle::Model> for Candle {
    fn from(row: candle::Model) -> Self {
        let candle::Model { start, open, high, low, close, volume, turnover, trades, last_seq, .. } = row;
        Self { start, open, high, low, close, volume, turnover, trades, last_seq }
    }
}

/// Adds a sale to the candles that it belongs to. Sales of a market come in order.
pub(crate) fn add(candles: &mut Candles, market: Uuid, sale: &Sale) {
    for span in SPANS {
        let candle = Candle::of(span.into(), sale);
        let whole = candles.entry((market, span, candle.start));
        whole.and_modify(|whole| whole.join(&candle)).or_insert(candle);
    }
}

/// Adds the matches that a batch led to, which are in order, to the rows there are.
pub(crate) async fn enter<'t>(
    tx: &Tx,
    trades: impl IntoIterator<Item = &'t trade::Model>,
) -> Result<(), Failure> {
    let mut candles = Candles::new();
    for trade in trades {
        add(&mut candles, trade.market, &trade.into());
    }
    save(tx, candles).await
}

/// Rows that are there already go on: what is saved came after them.
pub(crate) async fn save(tx: &Tx, candles: Candles) -> Result<(), Failure> {
    let rows: Vec<candle::Model> = candles.into_iter().map(row).collect();
    for rows in rows.chunks(ROWS_MAX) {
        candle::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(joining())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// [`Candle::join`], in SQL.
fn joining() -> OnConflict {
    let better = |column: &str, than: &str| {
        format!(
            "case when excluded.{column} {than} bidding_candle.{column} then excluded.{column} else bidding_candle.{column} end"
        )
    };
    let sum = |column: &str| {
        let max = i64::MAX;
        format!(
            "case when excluded.{column} > {max} - bidding_candle.{column} then {max} else bidding_candle.{column} + excluded.{column} end"
        )
    };
    OnConflict::columns([candle::Column::Market, candle::Column::Span, candle::Column::Start])
        .value(candle::Column::High, Expr::cust(better("high", ">")))
        .value(candle::Column::Low, Expr::cust(better("low", "<")))
        .value(candle::Column::Volume, Expr::cust(sum("volume")))
        .value(candle::Column::Turnover, Expr::cust(sum("turnover")))
        .value(candle::Column::Trades, Expr::cust(sum("trades")))
        .update_columns([candle::Column::Close, candle::Column::LastSeq])
        .to_owned()
}

pub(crate) fn row(((market, span, start), candle): ((Uuid, Span, DateTime<Utc>), Candle)) -> candle::Model {
    let Candle { open, high, low, close, volume, turnover, trades, last_seq, .. } = candle;
    candle::Model { market, span, start, open, high, low, close, volume, turnover, trades, last_seq }
}
