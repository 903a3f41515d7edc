//! New pieces on a shelf.

use async_graphql::InputObject;
use contract::{LocationId, Long, OfferId};

use super::put_away::put_away;
use crate::shelf::ReceiveRefusal;

/// What to receive.
#[derive(InputObject)]
pub struct ReceiveStockInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Whose stock grows: an offer of yours. One made a moment ago is waited for, up to a second.
    pub(super) offer_id: OfferId,
    /// Where the pieces are put: an open location of the same shop.
    pub(super) location_id: LocationId,
    /// How many pieces, 1 to 1,000,000.
    pub(super) quantity: Long,
    /// A note for the log, at most 500 characters.
    pub(super) reason: Option<String>,
}

put_away! {
    ReceiveStockPayload,
    /// Why pieces were not received.
    ReceiveStockError (ReceiveStockErrorCode),
    ReceiveRefusal
}
