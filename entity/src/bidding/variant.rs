//! What bidding knows of catalog's variants: that they are there.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: contract::VariantId,
    pub product_id: contract::ProductId,
    /// Of the event that this row was written from.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
