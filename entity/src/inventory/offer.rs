//! What inventory knows of catalog's offers, as it last heard.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub variant_id: contract::VariantId,
    pub seller_id: contract::SellerId,
    pub publication: Publication,
    /// Of the event that this row was written from.
    pub version: i64,
}

/// Catalog's word for whether buyers see the offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Publication {
    Draft,
    Published,
    Archived,
}

impl ActiveModelBehavior for ActiveModel {}
