//! What a feed is answered: a word for each line.

use contract::{FeedBatchId, FeedId, OfferId};
use entity::inventory::feed_batch;
use serde::{Deserialize, Serialize};

use super::line::Fault;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "StockFeedLineResult")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineResult {
    /// The shelf has this quantity now.
    Applied,
    /// More pieces than that are reserved: the shelf was lowered to those, and nothing more can be bought.
    Limited,
    /// The shelf had this quantity, or the feed had said so before.
    Unchanged,
    /// The feed had said something newer.
    Stale,
    /// The shop has no offer of such goods.
    NotFound,
    /// The shop has several offers of such goods: name the offer.
    Ambiguous,
    /// The line cannot be understood.
    Invalid,
    /// An offer has at most 1,000,000,000 pieces.
    TooMuch,
}

/// The answer to one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineAnswer {
    /// Its place in the batch, from 1. The header of a CSV is not counted.
    pub line: i32,
    pub result: LineResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<OfferId>,
    /// Pieces on the feed's shelf after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// Pieces of the offer that can be bought after it, over all its locations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    /// Pieces of the offer that are promised to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// The newest that the feed had said: its sequence, or the time in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<i64>,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl LineAnswer {
    pub(super) fn new(line: i32, result: LineResult) -> Self {
        Self {
            line,
            result,
            offer_id: None,
            on_hand: None,
            available: None,
            reserved: None,
            newest: None,
            field: None,
            message: None,
        }
    }

    pub(super) fn invalid(line: i32, fault: Fault) -> Self {
        let (field, message) = (Some(fault.field.to_owned()), Some(fault.message));
        Self { field, message, ..Self::new(line, LineResult::Invalid) }
    }
}

/// The answer to a batch. A repeat is answered with the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    pub batch_id: FeedBatchId,
    pub feed_id: FeedId,
    pub idempotency_key: String,
    pub lines: i32,
    pub applied: i32,
    pub limited: i32,
    pub unchanged: i32,
    pub stale: i32,
    pub refused: i32,
    pub results: Vec<LineAnswer>,
}

impl BatchAnswer {
    pub(super) fn new(batch: feed_batch::Model, results: Vec<LineAnswer>) -> Self {
        Self {
            batch_id: batch.id,
            feed_id: batch.feed_id,
            idempotency_key: batch.key,
            lines: batch.lines,
            applied: batch.applied,
            limited: batch.limited,
            unchanged: batch.unchanged,
            stale: batch.stale,
            refused: batch.refused,
            results,
        }
    }
}

/// Counts answers into the batch.
pub(super) fn count(batch: &mut feed_batch::Model, answers: &[LineAnswer]) {
    for answer in answers {
        let counter = match answer.result {
            LineResult::Applied => &mut batch.applied,
            LineResult::Limited => &mut batch.limited,
            LineResult::Unchanged => &mut batch.unchanged,
            LineResult::Stale => &mut batch.stale,
            LineResult::NotFound | LineResult::Ambiguous | LineResult::Invalid | LineResult::TooMuch => {
                &mut batch.refused
            }
        };
        *counter += 1;
    }
}
