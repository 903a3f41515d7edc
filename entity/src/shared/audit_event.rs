//! Who did what, append-only; each row's hash covers the row before it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub at: DateTimeUtc,
    /// A user id, or the name of the job that acted.
    pub actor: String,
    /// What was done: `login`, `seller.suspend`.
    pub action: String,
    /// The id of the thing it was done to.
    pub subject: String,
    /// JSON; never secrets or personal data.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    pub previous_hash: String,
    pub hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
