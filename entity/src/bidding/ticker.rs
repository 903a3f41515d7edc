//! Best prices and last sale of each market at the watermark.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticker")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub market_id: contract::MarketId,
    /// Null: nobody sells.
    pub lowest_ask_minor: Option<i64>,
    /// Null: nobody bids.
    pub highest_bid_minor: Option<i64>,
    /// Null: there was no match.
    pub last_sale_minor: Option<i64>,
    pub last_sale_at: Option<DateTimeUtc>,
    /// The market's newest event in it.
    pub sequence: i64,
}

impl ActiveModelBehavior for ActiveModel {}
