//! Stock on its way to a location. `Expected` becomes `Received` or `Cancelled`, once.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbound_shipment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::ShipmentId,
    pub seller_id: contract::SellerId,
    pub location_id: contract::LocationId,
    pub state: State,
    /// The carrier's or supplier's number.
    pub reference: Option<String>,
    pub expected_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    /// When it was received or cancelled.
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Expected,
    Received,
    Cancelled,
}

impl ActiveModelBehavior for ActiveModel {}
