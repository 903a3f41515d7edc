//! A new secret for a webhook.

use async_graphql::{InputObject, SimpleObject};
use contract::WebhookId;

use super::StockWebhook;
use crate::graphql::user_error::user_error;
use crate::webhook::RotateRefusal;

/// Which webhook gets a new secret.
#[derive(InputObject)]
pub struct RotateStockWebhookSecretInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The webhook.
    pub(super) id: WebhookId,
    /// Whether the secrets before end at once, because somebody else may know them.
    #[graphql(default)]
    pub(super) end_old_now: bool,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RotateStockWebhookSecretPayload {
    /// The webhook; null when something is wrong.
    pub(super) webhook: Option<StockWebhook>,
    /// The new secret. It cannot be read again, save with the same idempotency key.
    pub(super) secret: Option<String>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<RotateStockWebhookSecretError>,
}

user_error! {
    /// Why a webhook got no new secret.
    RotateStockWebhookSecretError (RotateStockWebhookSecretErrorCode) {
        /// There is no such webhook of yours.
        NotFound,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<RotateRefusal> for RotateStockWebhookSecretError {
    fn from(refusal: RotateRefusal) -> Self {
        use RotateStockWebhookSecretErrorCode as Code;
        let (code, field) = match refusal {
            RotateRefusal::NotFound => (Code::NotFound, "id"),
            RotateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
