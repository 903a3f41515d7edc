//! The pieces of one offer on the shelf of one location. All locations together are the level's `on_hand`.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "location_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub location_id: contract::LocationId,
    pub on_hand: i64,
}

impl ActiveModelBehavior for ActiveModel {}
