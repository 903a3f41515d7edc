//! What bidding knows of accounts' sellers, as it last heard.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    /// The user who owns the shop.
    pub user_id: contract::UserId,
    pub status: Status,
    /// Of the event that this row was written from.
    pub version: i64,
}

/// Accounts' word for whether the seller may sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Pending,
    Verified,
    Rejected,
    Suspended,
}

impl ActiveModelBehavior for ActiveModel {}
