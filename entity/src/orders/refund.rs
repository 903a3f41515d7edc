//! Money of one seller's part that goes back to the buyer.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::RefundId,
    pub order_id: contract::OrderId,
    pub seller_id: contract::SellerId,
    pub kind: Kind,
    pub state: State,
    /// Numbers of lines and how many pieces, as JSON.
    #[sea_orm(column_type = "Text")]
    pub lines: String,
    /// All of it, shipping included.
    pub amount_minor: i64,
    /// Tax in it.
    pub tax_minor: i64,
    /// The platform's fee in it.
    pub fee_minor: i64,
    pub shipping_minor: i64,
    pub reason: String,
    pub asked_at: DateTimeUtc,
    pub settled_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    /// For pieces that were never sent.
    Cancelled,
    /// For pieces that were sent.
    Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Asked,
    Done,
    /// The money did not go back: the pieces can be refunded again.
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
