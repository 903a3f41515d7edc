//! How often a buyer has used a promotion that limits it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "promotion_buyer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub promotion_id: contract::PromotionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: contract::UserId,
    pub uses: i64,
}

impl ActiveModelBehavior for ActiveModel {}
