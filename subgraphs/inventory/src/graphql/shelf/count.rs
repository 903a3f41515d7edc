//! What somebody counted on a shelf.

use async_graphql::{InputObject, SimpleObject};
use contract::{LocationId, Long, OfferId};

use crate::graphql::stock::StockLevel;
use crate::graphql::user_error::user_error;
use crate::shelf::{CountRefusal, NoShelf};
use crate::stock::Level;

/// What somebody counted on a shelf.
#[derive(InputObject)]
pub struct CountStockInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Whose pieces were counted: an offer of yours.
    pub(super) offer_id: OfferId,
    /// Where: a location of the same shop.
    pub(super) location_id: LocationId,
    /// The pieces on the shelf, reserved ones included: 0 to 1,000,000.
    pub(super) counted: Long,
    /// The `sequence` of the stock that you saw: when it has changed since, nothing is done.
    pub(super) expected_version: Option<Long>,
    /// A note for the log, at most 500 characters.
    pub(super) reason: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CountStockPayload {
    /// The stock afterwards; null when something is wrong.
    stock: Option<StockLevel>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CountStockError>,
}

user_error! {
    /// Why a count was not taken.
    CountStockError (CountStockErrorCode) {
        /// There is no such offer of yours.
        OfferNotFound,
        /// The shop that makes the offer has no such location.
        LocationNotFound,
        /// The count is not 0 to 1,000,000.
        QuantityOutOfRange,
        /// The reason is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// More pieces than were counted are reserved.
        WouldUndercutReserved,
        /// The stock changed since you saw it.
        StaleVersion,
        /// An offer has at most 1,000,000,000 pieces.
        TooMuch,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// Pieces that could be taken away.
        available: Long,
        /// The `sequence` of the stock now.
        current_version: Long,
    }
}

impl From<Result<Level, CountRefusal>> for CountStockPayload {
    fn from(done: Result<Level, CountRefusal>) -> Self {
        match done {
            Ok(level) => Self { stock: Some(level.into()), user_errors: vec![] },
            Err(refusal) => Self { stock: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<CountRefusal> for CountStockError {
    fn from(refusal: CountRefusal) -> Self {
        use CountStockErrorCode as Code;
        let (code, field) = match refusal {
            CountRefusal::NoShelf(NoShelf::OfferNotFound) => (Code::OfferNotFound, "offerId"),
            CountRefusal::NoShelf(NoShelf::LocationNotFound | NoShelf::LocationClosed) => {
                (Code::LocationNotFound, "locationId")
            }
            CountRefusal::QuantityOutOfRange => (Code::QuantityOutOfRange, "counted"),
            CountRefusal::ReasonInvalid(_) => (Code::InvalidInput, "reason"),
            CountRefusal::WouldUndercutReserved { .. } => (Code::WouldUndercutReserved, "counted"),
            CountRefusal::StaleVersion { .. } => (Code::StaleVersion, "expectedVersion"),
            CountRefusal::TooMuch => (Code::TooMuch, "counted"),
            CountRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        let mut error = Self::new(code, &["input", field], refusal);
        match refusal {
            CountRefusal::WouldUndercutReserved { available } => error.available = Some(Long(available)),
            CountRefusal::StaleVersion { current } => error.current_version = Some(Long(current)),
            _ => {}
        }
        error
    }
}
