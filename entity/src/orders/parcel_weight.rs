//! What a seller says one piece of an offer weighs, packed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "parcel_weight")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub grams: i64,
}

impl ActiveModelBehavior for ActiveModel {}
