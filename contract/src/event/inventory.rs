//! What inventory hears and says.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{OfferId, OrderId, ReservationId, SellerId, VariantId};

/// The stock of one offer, over all its locations, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockChanged {
    pub offer_id: OfferId,
    pub variant_id: VariantId,
    pub seller_id: SellerId,
    /// Pieces on the shelf, reserved ones included.
    pub on_hand: i64,
    /// Pieces promised to somebody.
    pub reserved: i64,
    /// Pieces that can be sold: on hand minus reserved, never negative.
    pub available: i64,
    /// Counts up by one with every change of this offer's stock.
    pub sequence: i64,
}

/// So many pieces of one offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    pub offer_id: OfferId,
    /// At least 1.
    pub quantity: i64,
}

/// Ask: reserve all lines or none, until `expires_at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReserveStock {
    /// Chosen by the asker: asking twice with one id reserves once.
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
    pub lines: Vec<Line>,
    pub expires_at: DateTime<Utc>,
}

/// Ask: the reserved stock has been sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommitStock {
    pub reservation_id: ReservationId,
}

/// Ask: give the reserved stock back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseStock {
    pub reservation_id: ReservationId,
    pub reason: String,
}

/// All lines are reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockReserved {
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
    pub expires_at: DateTime<Utc>,
}

/// A line that could not be reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shortage {
    pub offer_id: OfferId,
    pub requested: i64,
    pub available: i64,
}

/// Nothing is reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockRejected {
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
    pub shortages: Vec<Shortage>,
}

/// Reserved stock was sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockCommitted {
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
}

/// Reserved stock was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockReleased {
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
    pub reason: String,
}
