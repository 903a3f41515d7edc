//! The pieces of one offer in a shipment.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbound_shipment_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub shipment_id: contract::ShipmentId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub expected: i64,
    /// Null until the shipment is received.
    pub received: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
