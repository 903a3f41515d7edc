//! Corrections of a shelf.

use async_graphql::{InputObject, SimpleObject};
use contract::{LocationId, Long, OfferId};

use crate::graphql::stock::StockLevel;
use crate::graphql::user_error::user_error;
use crate::shelf::{AdjustRefusal, NoShelf};
use crate::stock::Level;

/// A correction of the shelf.
#[derive(InputObject)]
pub struct AdjustStockInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Whose stock changes: an offer of yours.
    pub(super) offer_id: OfferId,
    /// Where the pieces lie: a location of the same shop.
    pub(super) location_id: LocationId,
    /// How many pieces more, or, when negative, fewer: at most 1,000,000.
    pub(super) delta: Long,
    /// Why, for the log: 1 to 500 characters.
    pub(super) reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct AdjustStockPayload {
    /// The stock afterwards; null when something is wrong.
    stock: Option<StockLevel>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<AdjustStockError>,
}

user_error! {
    /// Why stock was not adjusted.
    AdjustStockError (AdjustStockErrorCode) {
        /// There is no such offer of yours.
        OfferNotFound,
        /// The shop that makes the offer has no such location.
        LocationNotFound,
        /// The location takes nothing in.
        LocationClosed,
        /// The delta is 0, or more than 1,000,000 up or down.
        DeltaOutOfRange,
        /// The reason is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// Fewer pieces lie at the location.
        InsufficientStock,
        /// The pieces are reserved.
        WouldUndercutReserved,
        /// An offer has at most 1,000,000,000 pieces.
        TooMuch,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// Pieces that could be taken away.
        available: Long,
    }
}

impl From<Result<Level, AdjustRefusal>> for AdjustStockPayload {
    fn from(done: Result<Level, AdjustRefusal>) -> Self {
        match done {
            Ok(level) => Self { stock: Some(level.into()), user_errors: vec![] },
            Err(refusal) => Self { stock: None, user_errors: vec![refusal.into()] },
        }
    }
}

impl From<AdjustRefusal> for AdjustStockError {
    fn from(refusal: AdjustRefusal) -> Self {
        use AdjustStockErrorCode as Code;
        let (code, field, available) = match refusal {
            AdjustRefusal::NoShelf(NoShelf::OfferNotFound) => (Code::OfferNotFound, "offerId", None),
            AdjustRefusal::NoShelf(NoShelf::LocationNotFound) => (Code::LocationNotFound, "locationId", None),
            AdjustRefusal::NoShelf(NoShelf::LocationClosed) => (Code::LocationClosed, "locationId", None),
            AdjustRefusal::DeltaOutOfRange => (Code::DeltaOutOfRange, "delta", None),
            AdjustRefusal::ReasonInvalid(_) => (Code::InvalidInput, "reason", None),
            AdjustRefusal::InsufficientStock { on_hand } => (Code::InsufficientStock, "delta", Some(on_hand)),
            AdjustRefusal::WouldUndercutReserved { available } => {
                (Code::WouldUndercutReserved, "delta", Some(available))
            }
            AdjustRefusal::TooMuch => (Code::TooMuch, "delta", None),
            AdjustRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey", None),
        };
        Self { available: available.map(Long), ..Self::new(code, &["input", field], refusal) }
    }
}
