//! The access token: a JWT in the profile of RFC 9068, signed with Ed25519.

use chrono::TimeDelta;
use contract::{SessionId, UserId};
use serde::{Deserialize, Serialize};

/// Who signs access tokens.
pub const ISSUER: &str = "souk";
/// Whom access tokens are for.
pub const AUDIENCE: &str = "souk-api";
/// How long an access token is good for.
pub const ACCESS_TOKEN_TTL: TimeDelta = TimeDelta::minutes(10);

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    /// The session it belongs to.
    pub sid: SessionId,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// Roles, separated by spaces.
    pub scope: String,
}
