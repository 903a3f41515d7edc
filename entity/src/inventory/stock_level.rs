//! The stock of one offer over all its locations: the sum of its movements, written with them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    /// Pieces on the shelf, reserved ones included.
    pub on_hand: i64,
    pub reserved: i64,
    /// `on_hand - reserved`; the database refuses anything else, and anything below 0.
    pub available: i64,
    /// Counts up by one with every transaction that moves this offer's stock.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
