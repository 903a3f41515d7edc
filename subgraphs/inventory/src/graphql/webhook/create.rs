//! A new webhook.

use async_graphql::{InputObject, SimpleObject};
use contract::SellerId;

use super::StockWebhook;
use crate::graphql::user_error::user_error;
use crate::webhook::CreateRefusal;

/// A new webhook.
#[derive(InputObject)]
pub struct CreateStockWebhookInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Whose stock it is told of. A seller with one shop can leave it out.
    pub(super) seller_id: Option<SellerId>,
    /// The address: https, not in a private network, at most 2,000 characters.
    pub(super) url: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreateStockWebhookPayload {
    /// The new webhook; null when something is wrong.
    pub(super) webhook: Option<StockWebhook>,
    /// What its messages are signed with. It cannot be read again, save with the same idempotency key.
    pub(super) secret: Option<String>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<CreateStockWebhookError>,
}

user_error! {
    /// Why a webhook was not made.
    CreateStockWebhookError (CreateStockWebhookErrorCode) {
        /// There is no such shop of yours, or you have several and named none.
        SellerNotFound,
        /// The address cannot be called.
        UrlInvalid,
        /// A shop has at most 10 webhooks.
        TooMany,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<CreateRefusal> for CreateStockWebhookError {
    fn from(refusal: CreateRefusal) -> Self {
        use CreateStockWebhookErrorCode as Code;
        let (code, field) = match refusal {
            CreateRefusal::SellerNotFound => (Code::SellerNotFound, "sellerId"),
            CreateRefusal::UrlInvalid(_) => (Code::UrlInvalid, "url"),
            CreateRefusal::TooMany => (Code::TooMany, "sellerId"),
            CreateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
