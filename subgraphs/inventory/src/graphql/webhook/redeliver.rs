//! A message to a webhook, once more.

use async_graphql::{InputObject, SimpleObject};
use contract::DeliveryId;

use super::StockWebhookDelivery;
use crate::graphql::user_error::user_error;
use crate::webhook::RedeliverRefusal;

/// Which message to send again.
#[derive(InputObject)]
pub struct RedeliverToStockWebhookInput {
    /// The delivery.
    pub(super) id: DeliveryId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RedeliverToStockWebhookPayload {
    /// The delivery, waiting; null when something is wrong.
    pub(super) delivery: Option<StockWebhookDelivery>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<RedeliverToStockWebhookError>,
}

user_error! {
    /// Why a message is not sent again.
    RedeliverToStockWebhookError (RedeliverToStockWebhookErrorCode) {
        /// There is no such delivery to a webhook of yours.
        NotFound,
        /// It waits to be sent already.
        Waiting,
        /// Another delivery of this webhook waits to be sent, and goes first.
        AnotherWaits,
    }
}

impl From<RedeliverRefusal> for RedeliverToStockWebhookError {
    fn from(refusal: RedeliverRefusal) -> Self {
        use RedeliverToStockWebhookErrorCode as Code;
        let code = match refusal {
            RedeliverRefusal::NotFound => Code::NotFound,
            RedeliverRefusal::Waiting => Code::Waiting,
            RedeliverRefusal::AnotherWaits => Code::AnotherWaits,
        };
        Self::new(code, &["input", "id"], refusal)
    }
}
