//! A new stock feed.

use async_graphql::{InputObject, SimpleObject};
use contract::LocationId;

use super::{StockFeed, StockFeedMatch, StockFeedOrder};
use crate::feed::CreateRefusal;
use crate::graphql::user_error::user_error;

/// A new stock feed.
#[derive(InputObject)]
pub struct CreateStockFeedInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    pub(super) idempotency_key: String,
    /// The location whose shelves it reports: of a shop of yours.
    pub(super) location_id: LocationId,
    /// What you call it: 1 to 100 characters, different from your other feeds.
    pub(super) name: String,
    /// How its lines name goods.
    pub(super) matches_by: StockFeedMatch,
    /// What tells an old line from a new one.
    pub(super) orders_by: StockFeedOrder,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CreateStockFeedPayload {
    /// The new feed; null when something is wrong.
    pub(super) feed: Option<StockFeed>,
    /// What the feed signs its batches with. It cannot be read again, save with the same idempotency key.
    pub(super) secret: Option<String>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<CreateStockFeedError>,
}

user_error! {
    /// Why a stock feed was not made.
    CreateStockFeedError (CreateStockFeedErrorCode) {
        /// There is no such location of yours.
        LocationNotFound,
        /// The name is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// The shop has a feed of this name.
        NameTaken,
        /// A shop has at most 50 feeds.
        TooMany,
        /// The key was used with another request.
        IdempotencyConflict,
    }
}

impl From<CreateRefusal> for CreateStockFeedError {
    fn from(refusal: CreateRefusal) -> Self {
        use CreateStockFeedErrorCode as Code;
        let (code, field) = match refusal {
            CreateRefusal::LocationNotFound => (Code::LocationNotFound, "locationId"),
            CreateRefusal::NameInvalid(_) => (Code::InvalidInput, "name"),
            CreateRefusal::NameTaken => (Code::NameTaken, "name"),
            CreateRefusal::TooMany => (Code::TooMany, "locationId"),
            CreateRefusal::IdempotencyConflict => (Code::IdempotencyConflict, "idempotencyKey"),
        };
        Self::new(code, &["input", field], refusal)
    }
}
