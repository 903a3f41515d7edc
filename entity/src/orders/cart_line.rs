//! So many pieces of an offer in a cart.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cart_id: contract::CartId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub quantity: i64,
    /// The price when it was put in.
    pub added_minor: i64,
    pub added_currency: String,
    pub added_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
