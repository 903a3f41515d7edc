//! Holding stock.

use async_graphql::{InputObject, SimpleObject};
use contract::event::inventory::Line;
use contract::{Long, OfferId, OrderId};

use super::Reservation;
use crate::desk::Reservation as Promise;
use crate::graphql::user_error::user_error;
use crate::reservation::ReserveRefusal;

/// Stock to hold.
#[derive(InputObject)]
pub struct ReserveStockInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// What to hold: 1 to 100 lines, all or none. Lines of one offer count together.
    pub(super) lines: Vec<StockLineInput>,
    /// How long to hold it: 1 to 86,400 seconds.
    pub(super) ttl_seconds: i32,
    /// The order it is for.
    pub(super) order_id: Option<OrderId>,
}

/// So many pieces of one offer.
#[derive(InputObject)]
pub struct StockLineInput {
    /// The offer.
    pub(super) offer_id: OfferId,
    /// How many pieces, 1 to 1,000,000.
    pub(super) quantity: Long,
}

impl From<StockLineInput> for Line {
    fn from(line: StockLineInput) -> Self {
        Self { offer_id: line.offer_id, quantity: line.quantity.0 }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReserveStockPayload {
    /// The reservation; null when something is wrong, and then nothing is held.
    reservation: Option<Reservation>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReserveStockError>,
}

user_error! {
    /// Why stock was not reserved.
    ReserveStockError (ReserveStockErrorCode) {
        /// There are no lines, or more than 100.
        LinesOutOfRange,
        /// A quantity is not 1 to 1,000,000.
        QuantityOutOfRange,
        /// The time is not 1 to 86,400 seconds.
        TtlOutOfRange,
        /// There is no such offer of yours.
        OfferNotFound,
        /// There are fewer pieces than wanted; one error for each such offer.
        InsufficientStock,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// The offer that is short.
        offer_id: OfferId,
        /// Pieces of it that were wanted.
        requested: Long,
        /// Pieces of it that are free.
        available: Long,
    }
}

impl From<Result<Promise, ReserveRefusal>> for ReserveStockPayload {
    fn from(done: Result<Promise, ReserveRefusal>) -> Self {
        match done {
            Ok(promise) => Self { reservation: Some(promise.into()), user_errors: vec![] },
            Err(refusal) => Self { reservation: None, user_errors: refused(refusal) },
        }
    }
}

fn refused(refusal: ReserveRefusal) -> Vec<ReserveStockError> {
    use ReserveStockErrorCode as Code;
    let at_line = |code, line: usize, field| {
        vec![ReserveStockError::new(code, &["input", "lines", &line.to_string(), field], &refusal)]
    };
    let at = |code, field| vec![ReserveStockError::new(code, &["input", field], &refusal)];
    match &refusal {
        ReserveRefusal::LinesOutOfRange => at(Code::LinesOutOfRange, "lines"),
        ReserveRefusal::QuantityOutOfRange { line } => at_line(Code::QuantityOutOfRange, *line, "quantity"),
        ReserveRefusal::TtlOutOfRange => at(Code::TtlOutOfRange, "ttlSeconds"),
        ReserveRefusal::OfferNotFound { line } => at_line(Code::OfferNotFound, *line, "offerId"),
        ReserveRefusal::IdempotencyConflict => at(Code::IdempotencyConflict, "idempotencyKey"),
        ReserveRefusal::InsufficientStock { shortages } => shortages
            .iter()
            .map(|short| ReserveStockError {
                offer_id: Some(short.offer_id),
                requested: Some(Long(short.requested)),
                available: Some(Long(short.available)),
                ..ReserveStockError::new(Code::InsufficientStock, &["input", "lines"], &refusal)
            })
            .collect(),
    }
}
