//! What inventory hears and says.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{LocationId, OfferId, OrderId, ReservationId, SellerId, ShipmentId, UserId, VariantId};

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

/// Ask: reserve one piece of an offer under each id, all or none, until `expires_at`. Each is then committed or released by
/// itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservePieces {
    /// Chosen by the asker, 1 to 100 of them: asking twice with the same ids reserves once.
    pub reservations: Vec<ReservationId>,
    pub offer_id: OfferId,
    pub expires_at: DateTime<Utc>,
}

/// A piece is reserved under each id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PiecesReserved {
    pub reservations: Vec<ReservationId>,
}

/// Nothing is reserved under any of these ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PiecesRejected {
    pub reservations: Vec<ReservationId>,
    pub offer_id: OfferId,
    /// Pieces that were free.
    pub available: i64,
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

/// Ask: pieces of an offer are there; put them on a shelf of its seller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiveStock {
    /// Chosen by the asker: asking twice with one id receives once.
    pub shipment_id: ShipmentId,
    pub offer_id: OfferId,
    pub seller_id: SellerId,
    /// None: the seller's oldest open location; a seller without one gets one.
    pub location_id: Option<LocationId>,
    /// At least 1.
    pub quantity: i64,
    /// Who says so.
    pub asked_by: UserId,
}

/// Ask: two offers of one seller became one; what can be sold of the first is sold as the second from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MoveStock {
    /// Gives all its pieces that are not promised to somebody.
    pub from_offer_id: OfferId,
    pub to_offer_id: OfferId,
    pub asked_by: UserId,
}

/// The pieces are on a shelf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockReceived {
    pub shipment_id: ShipmentId,
    pub offer_id: OfferId,
    pub location_id: LocationId,
    pub quantity: i64,
}

/// Why pieces cannot be put on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusedBecause {
    /// The seller has no such location.
    LocationNotFound,
    /// The location takes nothing in, or the seller has no location that does.
    LocationClosed,
    /// An offer cannot have so many pieces.
    TooMuch,
}

/// The pieces are on no shelf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StockRefused {
    pub shipment_id: ShipmentId,
    pub offer_id: OfferId,
    pub because: RefusedBecause,
}

/// Ask: sold pieces are the seller's again, because they were never sent or came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestockSold {
    pub order_id: OrderId,
    pub lines: Vec<Line>,
    pub reason: String,
}
