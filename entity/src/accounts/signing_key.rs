//! The Ed25519 keys that sign access tokens.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    pub state: State,
    /// The public key, base64url.
    pub public_x: String,
    /// The private key as PKCS#8, sealed with the process's master key.
    pub private_sealed: Vec<u8>,
    pub created_at: DateTimeUtc,
    /// When it stopped signing. Its tokens are good until they expire.
    pub retired_at: Option<DateTimeUtc>,
}

/// `Next` becomes `Current` becomes `Previous` by a rotation; then the row goes away. All are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Next,
    Current,
    Previous,
}

impl ActiveModelBehavior for ActiveModel {}
