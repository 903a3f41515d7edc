//! A parcel of one seller to the buyer.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfilment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::FulfilmentId,
    pub order_id: contract::OrderId,
    pub seller_id: contract::SellerId,
    pub carrier: String,
    pub tracking: Option<String>,
    /// Numbers of lines and how many pieces, as JSON.
    #[sea_orm(column_type = "Text")]
    pub lines: String,
    pub shipped_at: DateTimeUtc,
    /// When it counts as delivered if nobody says so; null once it is.
    pub deliver_by: Option<DateTimeUtc>,
    pub delivered_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
