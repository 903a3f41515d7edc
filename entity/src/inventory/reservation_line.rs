//! The pieces of one offer in a reservation.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub reservation_id: contract::ReservationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub quantity: i64,
    /// What was available when this line could not be met; null when it could.
    pub short_available: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
