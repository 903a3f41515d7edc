//! Selling or giving back what is held.

use async_graphql::{InputObject, SimpleObject};
use contract::ReservationId;

use super::Reservation;
use crate::desk::Reservation as Promise;
use crate::graphql::user_error::user_error;
use crate::reservation::{CommitRefusal, ReleaseRefusal};

/// Which reservation to commit.
#[derive(InputObject)]
pub struct CommitReservationInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The reservation.
    pub(super) id: ReservationId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CommitReservationPayload {
    /// The reservation afterwards; null when something is wrong.
    reservation: Option<Reservation>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CommitReservationError>,
}

user_error! {
    /// Why a reservation was not committed.
    CommitReservationError (CommitReservationErrorCode) {
        /// There is no such reservation of yours.
        NotFound,
        /// Its stock was given back: released, or its time was up.
        NotActive,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

/// Which reservation to give back.
#[derive(InputObject)]
pub struct ReleaseReservationInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The reservation.
    pub(super) id: ReservationId,
    /// Why, for the log: 1 to 500 characters; "released" without it.
    pub(super) reason: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReleaseReservationPayload {
    /// The reservation afterwards; null when something is wrong.
    reservation: Option<Reservation>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReleaseReservationError>,
}

user_error! {
    /// Why a reservation was not given back.
    ReleaseReservationError (ReleaseReservationErrorCode) {
        /// There is no such reservation of yours.
        NotFound,
        /// The reason is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// Its stock was sold.
        NotActive,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<Result<Promise, CommitRefusal>> for CommitReservationPayload {
    fn from(done: Result<Promise, CommitRefusal>) -> Self {
        use CommitReservationErrorCode as Code;
        let refusal = match done {
            Ok(promise) => return Self { reservation: Some(promise.into()), user_errors: vec![] },
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            CommitRefusal::NotFound => (Code::NotFound, "id"),
            CommitRefusal::NotActive => (Code::NotActive, "id"),
            CommitRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        let error = CommitReservationError::new(code, &["input", field], refusal);
        Self { reservation: None, user_errors: vec![error] }
    }
}

impl From<Result<Promise, ReleaseRefusal>> for ReleaseReservationPayload {
    fn from(done: Result<Promise, ReleaseRefusal>) -> Self {
        use ReleaseReservationErrorCode as Code;
        let refusal = match done {
            Ok(promise) => return Self { reservation: Some(promise.into()), user_errors: vec![] },
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            ReleaseRefusal::NotFound => (Code::NotFound, "id"),
            ReleaseRefusal::ReasonInvalid(_) => (Code::InvalidInput, "reason"),
            ReleaseRefusal::NotActive => (Code::NotActive, "id"),
            ReleaseRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        let error = ReleaseReservationError::new(code, &["input", field], refusal);
        Self { reservation: None, user_errors: vec![error] }
    }
}
