//! What a seller takes for a parcel.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shipping_rate")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    /// ISO 3166-1 alpha-2; empty: every country without a rate of its own.
    #[sea_orm(primary_key, auto_increment = false)]
    pub country: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: String,
    pub base_minor: i64,
    /// For each kilogram begun.
    pub per_kilogram_minor: i64,
    /// Goods of this seller worth so much ship for nothing.
    pub free_from_minor: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
