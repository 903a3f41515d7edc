//! One offer in an order.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    /// From 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub offer_id: contract::OfferId,
    pub product_id: contract::ProductId,
    pub variant_id: contract::VariantId,
    pub seller_id: contract::SellerId,
    pub quantity: i64,
    pub unit_minor: i64,
    pub goods_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
}

impl ActiveModelBehavior for ActiveModel {}
