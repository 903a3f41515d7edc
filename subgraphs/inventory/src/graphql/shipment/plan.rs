//! Announcing a shipment.

use async_graphql::{InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use contract::LocationId;

use super::InboundShipment;
use crate::graphql::reservation::StockLineInput;
use crate::graphql::user_error::user_error;
use crate::shipment::{PlanRefusal, Shipment};

/// A shipment to announce.
#[derive(InputObject)]
pub struct PlanShipmentInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// Where it goes: an open location of yours.
    pub(super) location_id: LocationId,
    /// What is in it: 1 to 100 lines of offers of the location's shop. Lines of one offer count together.
    pub(super) lines: Vec<StockLineInput>,
    /// The carrier's or supplier's number, at most 500 characters.
    pub(super) reference: Option<String>,
    /// When it should arrive.
    pub(super) expected_at: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct PlanShipmentPayload {
    /// The shipment; null when something is wrong.
    shipment: Option<InboundShipment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<PlanShipmentError>,
}

user_error! {
    /// Why a shipment was not planned.
    PlanShipmentError (PlanShipmentErrorCode) {
        /// There are no lines, or more than 100.
        LinesOutOfRange,
        /// A quantity is not 1 to 1,000,000.
        QuantityOutOfRange,
        /// The reference is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// There is no such location of yours.
        LocationNotFound,
        /// The location takes nothing in.
        LocationClosed,
        /// The location's shop has no such offer.
        OfferNotFound,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<Result<Shipment, PlanRefusal>> for PlanShipmentPayload {
    fn from(done: Result<Shipment, PlanRefusal>) -> Self {
        use PlanShipmentErrorCode as Code;
        let refusal = match done {
            Ok(shipment) => return Self { shipment: Some(InboundShipment(shipment)), user_errors: vec![] },
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            PlanRefusal::LinesOutOfRange => (Code::LinesOutOfRange, path(None, "lines")),
            PlanRefusal::QuantityOutOfRange { line } => {
                (Code::QuantityOutOfRange, path(Some(line), "quantity"))
            }
            PlanRefusal::ReferenceInvalid(_) => (Code::InvalidInput, path(None, "reference")),
            PlanRefusal::LocationNotFound => (Code::LocationNotFound, path(None, "locationId")),
            PlanRefusal::LocationClosed => (Code::LocationClosed, path(None, "locationId")),
            PlanRefusal::OfferNotFound { line } => (Code::OfferNotFound, path(Some(line), "offerId")),
            PlanRefusal::IdempotencyConflict => (Code::IdempotencyConflict, path(None, "idempotencyKey")),
        };
        let error = PlanShipmentError { field: Some(field), ..PlanShipmentError::new(code, &[], refusal) };
        Self { shipment: None, user_errors: vec![error] }
    }
}

fn path(line: Option<usize>, field: &str) -> Vec<String> {
    match line {
        Some(line) => vec!["input".into(), "lines".into(), line.to_string(), field.into()],
        None => vec!["input".into(), field.into()],
    }
}
