//! The key that seals one user's personal data. Without its row nobody can read that data again.

use contract::UserId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Named by every value that it seals.
    #[sea_orm(unique)]
    pub key_id: Uuid,
    /// The key itself, sealed with the process's master key.
    pub key_sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
