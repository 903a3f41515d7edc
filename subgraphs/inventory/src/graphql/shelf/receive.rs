//! New pieces on a shelf.

use async_graphql::{InputObject, SimpleObject};
use contract::{LocationId, Long, OfferId};

use crate::graphql::stock::StockLevel;
use crate::graphql::user_error::user_error;
use crate::shelf::{NoShelf, ReceiveRefusal};
use crate::stock::Level;

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

/// What came of it.
#[derive(SimpleObject)]
pub struct ReceiveStockPayload {
    /// The stock afterwards; null when something is wrong.
    stock: Option<StockLevel>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReceiveStockError>,
}

user_error! {
    /// Why pieces were not received.
    ReceiveStockError (ReceiveStockErrorCode) {
        /// There is no such offer of yours.
        OfferNotFound,
        /// The shop that makes the offer has no such location.
        LocationNotFound,
        /// The location takes nothing in.
        LocationClosed,
        /// The quantity is not 1 to 1,000,000.
        QuantityOutOfRange,
        /// The reason is too long, blank or has control characters.
        ReasonInvalid,
        /// An offer has at most 1,000,000,000 pieces.
        TooMuch,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<Result<Level, ReceiveRefusal>> for ReceiveStockPayload {
    fn from(done: Result<Level, ReceiveRefusal>) -> Self {
        match done {
            Ok(level) => Self { stock: Some(level.into()), user_errors: vec![] },
            Err(refusal) => Self { stock: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<ReceiveRefusal> for ReceiveStockError {
    fn from(refusal: ReceiveRefusal) -> Self {
        use ReceiveStockErrorCode as Code;
        let (code, field) = match refusal {
            ReceiveRefusal::NoShelf(NoShelf::OfferNotFound) => (Code::OfferNotFound, "offerId"),
            ReceiveRefusal::NoShelf(NoShelf::LocationNotFound) => (Code::LocationNotFound, "locationId"),
            ReceiveRefusal::NoShelf(NoShelf::LocationClosed) => (Code::LocationClosed, "locationId"),
            ReceiveRefusal::QuantityOutOfRange => (Code::QuantityOutOfRange, "quantity"),
            ReceiveRefusal::ReasonInvalid => (Code::ReasonInvalid, "reason"),
            ReceiveRefusal::TooMuch => (Code::TooMuch, "quantity"),
            ReceiveRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
