//! Trades that came to nothing.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "failed_trade")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub trade_id: contract::TradeId,
    /// The buyer could not pay, and the engine has not heard of it yet.
    pub due: bool,
    pub heard_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
