//! The log of stock: append-only, and everything about stock follows from it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::MovementId,
    pub offer_id: contract::OfferId,
    /// Null when no piece left or reached a shelf.
    pub location_id: Option<contract::LocationId>,
    pub kind: Kind,
    pub on_hand_delta: i64,
    pub reserved_delta: i64,
    /// A user id, or the name of the part of the system that moved the stock.
    pub actor: String,
    pub reason: Option<String>,
    pub reservation_id: Option<contract::ReservationId>,
    pub order_id: Option<contract::OrderId>,
    pub shipment_id: Option<contract::ShipmentId>,
    /// The level's version after it. Movements of one transaction share it.
    pub version: i64,
    pub at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Received,
    Reserved,
    Released,
    Committed,
    Adjusted,
    Returned,
}

impl ActiveModelBehavior for ActiveModel {}
