//! That an order counts against a promotion's limits: taken away when the order comes to nothing.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_use")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: contract::OrderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub promotion_id: contract::PromotionId,
    pub user_id: Option<contract::UserId>,
}

impl ActiveModelBehavior for ActiveModel {}
