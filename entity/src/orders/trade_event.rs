//! The log of a trade: everything that happened to it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trade_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub trade_id: contract::TradeId,
    /// The trade's version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub kind: String,
    /// Who did it: a user, `system`, `timer`.
    pub actor: String,
    /// Facts, as JSON.
    pub details: String,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
