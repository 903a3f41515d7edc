//! The log of an order: everything that happened to it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    /// The order's version after it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// What happened: the state of the saga that it led to, or what somebody did.
    pub kind: String,
    /// Who did it: a user, or a part of the system.
    pub actor: String,
    /// Facts, as JSON.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
