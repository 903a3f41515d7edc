//! A new secret for a stock feed.

use async_graphql::{InputObject, SimpleObject};
use contract::FeedId;

use super::StockFeed;
use crate::feed::RotateRefusal;
use crate::graphql::user_error::user_error;

/// Which feed gets a new secret.
#[derive(InputObject)]
pub struct RotateStockFeedSecretInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The feed.
    pub(super) id: FeedId,
    /// Whether the secrets before end at once, because somebody else may know them.
    #[graphql(default)]
    pub(super) end_old_now: bool,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RotateStockFeedSecretPayload {
    /// The feed; null when something is wrong.
    pub(super) feed: Option<StockFeed>,
    /// The new secret. It cannot be read again, save with the same idempotency key.
    pub(super) secret: Option<String>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<RotateStockFeedSecretError>,
}

user_error! {
    /// Why a stock feed got no new secret.
    RotateStockFeedSecretError (RotateStockFeedSecretErrorCode) {
        /// There is no such feed of yours.
        NotFound,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<RotateRefusal> for RotateStockFeedSecretError {
    fn from(refusal: RotateRefusal) -> Self {
        use RotateStockFeedSecretErrorCode as Code;
        let (code, field) = match refusal {
            RotateRefusal::NotFound => (Code::NotFound, "id"),
            RotateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
