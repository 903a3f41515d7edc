//! What a seller says one piece of an offer weighs, packed.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parcel_weight")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub grams: i64,
}

impl ActiveModelBehavior for ActiveModel {}
