//! Asks that a seller sent at once.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ask_batch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::AskBatchId,
    pub user_id: contract::UserId,
    pub seller_id: contract::SellerId,
    /// Asks in it.
    pub total: i64,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
