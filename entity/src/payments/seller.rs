//! What payments knows of accounts' sellers, as it last heard.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    /// The user who owns the shop.
    pub user_id: contract::UserId,
    /// Of the event that this row was written from.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
