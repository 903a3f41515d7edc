//! Matches: pieces that changed hands at one price between two orders at one time.

use super::order::Side;
use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_trade")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// Of the first piece; the others follow without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub quantity: i64,
    /// Pieces whose payment failed.
    pub failed: i64,
    pub market: Uuid,
    /// The market's event.
    pub market_seq: i64,
    pub price_minor: i64,
    /// Numbers of the two orders.
    pub bid: i64,
    pub ask: i64,
    pub buyer: Uuid,
    pub seller: Uuid,
    pub maker_side: Side,
    pub at: DateTimeUtc,
    pub seller_id: Option<contract::SellerId>,
    /// The fees of one piece as they were at the match.
    pub fee_schedule: Option<String>,
    /// The seller's level, 1 to 5.
    pub fee_level: Option<i32>,
    pub transaction_minor: Option<i64>,
    pub processing_minor: Option<i64>,
    /// What the seller gets of one piece.
    pub payout_minor: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
