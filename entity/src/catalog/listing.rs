//! Acts of listing an item. `Stocking` becomes `Listed` or `StockRefused`, once.

use contract::{ListingId, LocationId, OfferId, SellerId, ShipmentId, UserId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "listing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ListingId,
    pub seller_id: SellerId,
    pub offer_id: OfferId,
    /// Pieces that came with it; 0: none.
    pub quantity: i64,
    /// Where the seller wanted them. Null: wherever they keep things.
    pub location_id: Option<LocationId>,
    /// What inventory calls their arrival. Null: there were none.
    #[sea_orm(unique)]
    pub shipment_id: Option<ShipmentId>,
    pub state: State,
    pub refused_because: Option<RefusedBecause>,
    pub listed_by: UserId,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Stocking,
    Listed,
    StockRefused,
}

/// Inventory's word for why there are no pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RefusedBecause {
    LocationNotFound,
    LocationClosed,
    TooMuch,
}

impl From<contract::event::inventory::RefusedBecause> for RefusedBecause {
    fn from(because: contract::event::inventory::RefusedBecause) -> Self {
        use contract::event::inventory::RefusedBecause as Said;
        match because {
            Said::LocationNotFound => Self::LocationNotFound,
            Said::LocationClosed => Self::LocationClosed,
            Said::TooMuch => Self::TooMuch,
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
