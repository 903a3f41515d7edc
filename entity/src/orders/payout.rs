//! That a seller has earned their share of an order: asked for once.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payout")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    pub id: contract::PayoutId,
    pub asked_at: DateTimeUtc,
    pub released_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
