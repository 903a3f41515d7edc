//! Whether payments can pay a shop, as it last said.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payee")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    pub ready: bool,
    /// Of the event that this row was written from.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
