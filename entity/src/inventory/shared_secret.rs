//! What inventory and somebody outside know, to sign messages with.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shared_secret")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The feed or webhook that it belongs to.
    pub owner_id: Uuid,
    pub sealed: Vec<u8>,
    /// Null: until it is replaced.
    pub valid_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
