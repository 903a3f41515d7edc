//! Refresh tokens, by their hashes. Each is good once and names its successor.

use contract::SessionId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub session_id: SessionId,
    pub issued_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    /// The token that replaced it, to be given again when the first answer was lost. Kept only for that while.
    pub successor_sealed: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
