//! Sold pieces that came back.

use async_graphql::{InputObject, SimpleObject};
use contract::{LocationId, Long, OfferId, OrderId};

use crate::graphql::stock::StockLevel;
use crate::graphql::user_error::user_error;
use crate::shelf::{NoShelf, ReturnRefusal};
use crate::stock::Level;

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

/// What came of it.
#[derive(SimpleObject)]
pub struct ReturnStockPayload {
    /// The stock afterwards; null when something is wrong.
    stock: Option<StockLevel>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReturnStockError>,
}

user_error! {
    /// Why pieces were not taken back.
    ReturnStockError (ReturnStockErrorCode) {
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

impl From<Result<Level, ReturnRefusal>> for ReturnStockPayload {
    fn from(done: Result<Level, ReturnRefusal>) -> Self {
        match done {
            Ok(level) => Self { stock: Some(level.into()), user_errors: vec![] },
            Err(refusal) => Self { stock: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<ReturnRefusal> for ReturnStockError {
    fn from(refusal: ReturnRefusal) -> Self {
        use ReturnStockErrorCode as Code;
        let (code, field) = match refusal {
            ReturnRefusal::NoShelf(NoShelf::OfferNotFound) => (Code::OfferNotFound, "offerId"),
            ReturnRefusal::NoShelf(NoShelf::LocationNotFound) => (Code::LocationNotFound, "locationId"),
            ReturnRefusal::NoShelf(NoShelf::LocationClosed) => (Code::LocationClosed, "locationId"),
            ReturnRefusal::QuantityOutOfRange => (Code::QuantityOutOfRange, "quantity"),
            ReturnRefusal::ReasonInvalid => (Code::ReasonInvalid, "reason"),
            ReturnRefusal::TooMuch => (Code::TooMuch, "quantity"),
            ReturnRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
