//! Sold pieces that came back.

use async_graphql::InputObject;
use contract::{LocationId, Long, OfferId, OrderId};

use super::put_away::put_away;
use crate::shelf::ReturnRefusal;

/// Sold pieces that came back.
#[derive(InputObject)]
pub struct ReturnStockInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Whose stock grows: an offer of yours.
    pub(super) offer_id: OfferId,
    /// Where the pieces are put: an open location of the same shop.
    pub(super) location_id: LocationId,
    /// How many pieces, 1 to 1,000,000.
    pub(super) quantity: Long,
    /// The order that they were sold with.
    pub(super) order_id: Option<OrderId>,
    /// A note for the log, at most 500 characters.
    pub(super) reason: Option<String>,
}

put_away! {
    ReturnStockPayload,
    /// Why pieces were not taken back.
    ReturnStockError (ReturnStockErrorCode),
    ReturnRefusal
}
