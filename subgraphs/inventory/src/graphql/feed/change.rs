//! A stock feed's name, and whether it is on.

use async_graphql::{InputObject, SimpleObject};
use contract::{FeedId, Long};

use super::StockFeed;
use crate::feed::ChangeRefusal;
use crate::graphql::user_error::user_error;

/// What to change about a stock feed. What is left out stays.
#[derive(InputObject)]
pub struct ChangeStockFeedInput {
    /// The feed.
    pub(super) id: FeedId,
    /// The `version` that you saw: when it has changed since, nothing is done.
    pub(super) expected_version: Option<Long>,
    /// A new name: 1 to 100 characters, different from your other feeds.
    pub(super) name: Option<String>,
    /// Whether what it sends is taken.
    pub(super) enabled: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ChangeStockFeedPayload {
    /// The feed afterwards; null when something is wrong.
    pub(super) feed: Option<StockFeed>,
    /// What is wrong; empty when it was done.
    pub(super) user_errors: Vec<ChangeStockFeedError>,
}

user_error! {
    /// Why a stock feed was not changed.
    ChangeStockFeedError (ChangeStockFeedErrorCode) {
        /// There is no such feed of yours.
        NotFound,
        /// The name is too short, too long, or has characters that cannot be seen.
        InvalidInput,
        /// The shop has a feed of this name.
        NameTaken,
        /// It changed since you saw it.
        StaleVersion,
    }
    facts {
        /// The feed's version now.
        current_version: Long,
    }
}

impl From<ChangeRefusal> for ChangeStockFeedError {
    fn from(refusal: ChangeRefusal) -> Self {
        use ChangeStockFeedErrorCode as Code;
        let (code, field, current) = match refusal {
            ChangeRefusal::NotFound => (Code::NotFound, "id", None),
            ChangeRefusal::NameInvalid(_) => (Code::InvalidInput, "name", None),
            ChangeRefusal::NameTaken => (Code::NameTaken, "name", None),
            ChangeRefusal::StaleVersion { current } => (Code::StaleVersion, "expectedVersion", Some(current)),
        };
        Self { current_version: current.map(Long), ..Self::new(code, &["input", field], refusal) }
    }
}
