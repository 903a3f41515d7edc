//! One seller's part of an order.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_share")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    pub goods_minor: i64,
    pub discount_minor: i64,
    pub shipping_minor: i64,
    pub shipping_total_minor: i64,
    pub tax_minor: i64,
    pub fee_minor: i64,
    pub total_minor: i64,
    /// When the seller said that they will send it.
    pub confirmed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
