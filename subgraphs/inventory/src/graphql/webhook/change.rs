//! A webhook's address, and whether it is on.

use async_graphql::{InputObject, SimpleObject};
use contract::{Long, WebhookId};

use super::StockWebhook;
use crate::graphql::user_error::user_error;
use crate::webhook::ChangeRefusal;

/// What to change about a webhook. What is left out stays.
#[derive(InputObject)]
pub struct ChangeStockWebhookInput {
    /// The webhook.
    pub(super) id: WebhookId,
    /// The `version` that you saw: when it has changed since, nothing is done.
    pub(super) expected_version: Option<Long>,
    /// A new address: https, not in a private network, at most 2,000 characters.
    pub(super) url: Option<String>,
    /// Whether it is told.
    pub(super) enabled: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ChangeStockWebhookPayload {
    /// The webhook afterwards; null when something is wrong.
    pub(super) webhook: Option<StockWebhook>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<ChangeStockWebhookError>,
}

user_error! {
    /// Why a webhook was not changed.
    ChangeStockWebhookError (ChangeStockWebhookErrorCode) {
        /// There is no such webhook of yours.
        NotFound,
        /// The address cannot be called.
        UrlInvalid,
        /// It changed since you saw it.
        StaleVersion,
    }
    facts {
        /// The webhook's version now.
        current_version: Long,
    }
}

impl From<ChangeRefusal> for ChangeStockWebhookError {
    fn from(refusal: ChangeRefusal) -> Self {
        use ChangeStockWebhookErrorCode as Code;
        let (code, field, current) = match refusal {
            ChangeRefusal::NotFound => (Code::NotFound, "id", None),
            ChangeRefusal::UrlInvalid(_) => (Code::UrlInvalid, "url", None),
            ChangeRefusal::StaleVersion { current } => (Code::StaleVersion, "expectedVersion", Some(current)),
        };
        Self { current_version: current.map(Long), ..Self::new(code, &["input", field], refusal) }
    }
}
