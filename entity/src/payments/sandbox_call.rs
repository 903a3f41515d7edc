//! The first answer to each idempotency key that the sandbox provider was sent.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sandbox_call")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// What was asked: another body under the same key is refused.
    pub request: String,
    /// Null when the call failed before it did anything.
    pub answer: Option<String>,
    /// How often the key came.
    pub seen: i32,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
