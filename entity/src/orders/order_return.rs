//! Goods that a buyer wants to send back.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_return")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::ReturnId,
    pub order_id: contract::OrderId,
    pub seller_id: contract::SellerId,
    pub state: State,
    /// Numbers of lines and how many pieces, as JSON.
    #[sea_orm(column_type = "Text")]
    pub lines: String,
    pub reason: String,
    /// What the seller answered.
    pub answer: Option<String>,
    pub refund_id: Option<contract::RefundId>,
    pub requested_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Requested,
    Accepted,
    Rejected,
    Received,
}

impl ActiveModelBehavior for ActiveModel {}
