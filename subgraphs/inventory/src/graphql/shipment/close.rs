//! Receiving or cancelling a shipment.

use async_graphql::{InputObject, SimpleObject};
use contract::ShipmentId;

use super::InboundShipment;
use crate::graphql::reservation::StockLineInput;
use crate::graphql::user_error::user_error;
use crate::shipment::{CancelRefusal, ReceiveRefusal, Shipment};

/// A shipment that arrived.
#[derive(InputObject)]
pub struct ReceiveShipmentInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The shipment.
    pub(super) id: ShipmentId,
    /// What came of offers that did not come as announced: 0 to 1,000,000 pieces, each offer once, at most 100.
    pub(super) counted: Option<Vec<StockLineInput>>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReceiveShipmentPayload {
    /// The shipment afterwards; null when something is wrong.
    shipment: Option<InboundShipment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReceiveShipmentError>,
}

user_error! {
    /// Why a shipment was not received.
    ReceiveShipmentError (ReceiveShipmentErrorCode) {
        /// There is no such shipment of yours.
        NotFound,
        /// It was received or cancelled already.
        NotExpected,
        /// There are more than 100 lines, or one offer twice.
        LinesOutOfRange,
        /// A quantity is not 0 to 1,000,000.
        QuantityOutOfRange,
        /// The shipment has no such offer.
        OfferNotFound,
        /// The location takes nothing in.
        LocationClosed,
        /// An offer has at most 1,000,000,000 pieces.
        TooMuch,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

/// A shipment that does not come.
#[derive(InputObject)]
pub struct CancelShipmentInput {
    /// The shipment.
    pub(super) id: ShipmentId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CancelShipmentPayload {
    /// The shipment afterwards; null when something is wrong.
    shipment: Option<InboundShipment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CancelShipmentError>,
}

user_error! {
    /// Why a shipment was not cancelled.
    CancelShipmentError (CancelShipmentErrorCode) {
        /// There is no such shipment of yours.
        NotFound,
        /// It was received or cancelled already.
        NotExpected,
    }
}

impl From<Result<Shipment, ReceiveRefusal>> for ReceiveShipmentPayload {
    fn from(done: Result<Shipment, ReceiveRefusal>) -> Self {
        use ReceiveShipmentErrorCode as Code;
        let refusal = match done {
            Ok(shipment) => return Self { shipment: Some(InboundShipment(shipment)), user_errors: vec![] },
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            ReceiveRefusal::NotFound => (Code::NotFound, "id"),
            ReceiveRefusal::NotExpected => (Code::NotExpected, "id"),
            ReceiveRefusal::LinesOutOfRange => (Code::LinesOutOfRange, "counted"),
            ReceiveRefusal::QuantityOutOfRange { .. } => (Code::QuantityOutOfRange, "counted"),
            ReceiveRefusal::OfferNotFound { .. } => (Code::OfferNotFound, "counted"),
            ReceiveRefusal::LocationClosed => (Code::LocationClosed, "id"),
            ReceiveRefusal::TooMuch => (Code::TooMuch, "counted"),
            ReceiveRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        let mut error = ReceiveShipmentError::new(code, &["input", field], refusal);
        if let ReceiveRefusal::QuantityOutOfRange { line } | ReceiveRefusal::OfferNotFound { line } = refusal
        {
            error.field.get_or_insert_default().push(line.to_string());
        }
        Self { shipment: None, user_errors: vec![error] }
    }
}

impl From<Result<Shipment, CancelRefusal>> for CancelShipmentPayload {
    fn from(done: Result<Shipment, CancelRefusal>) -> Self {
        use CancelShipmentErrorCode as Code;
        let refusal = match done {
            Ok(shipment) => return Self { shipment: Some(InboundShipment(shipment)), user_errors: vec![] },
            Err(refusal) => refusal,
        };
        let code = match refusal {
            CancelRefusal::NotFound => Code::NotFound,
            CancelRefusal::NotExpected => Code::NotExpected,
        };
        let error = CancelShipmentError::new(code, &["input", "id"], refusal);
        Self { shipment: None, user_errors: vec![error] }
    }
}
