//! Candles of a market's matches: minutes, hours and days. Longer ones are merged from them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_candle")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub market: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub span: Span,
    /// Its first moment, in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub start: DateTimeUtc,
    /// Prices in minor units: of the first match, the highest, the lowest, of the last.
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    /// Pieces.
    pub volume: i64,
    /// Price times pieces, in minor units.
    pub turnover: i64,
    /// Matches.
    pub trades: i64,
    /// The market's sequence at the last match.
    pub last_seq: i64,
}

/// How long a candle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Span {
    Minute,
    Hour,
    Day,
}

impl ActiveModelBehavior for ActiveModel {}
