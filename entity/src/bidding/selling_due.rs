//! Partitions that have not heard yet whether an account sells.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "selling_due")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: contract::UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// Of the change that is due.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
