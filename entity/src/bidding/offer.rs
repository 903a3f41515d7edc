//! What bidding knows of catalog's offers, as it last heard: whose stock can be behind an ask.

use crate::prelude::*;

use super::market::Condition;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub variant_id: contract::VariantId,
    pub seller_id: contract::SellerId,
    pub condition: Condition,
    /// It is offered no more.
    pub archived: bool,
    /// Of the event that this row was written from.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
