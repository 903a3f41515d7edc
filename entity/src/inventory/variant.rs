//! What inventory knows of catalog's variants, as it last heard: by which numbers others name them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: contract::VariantId,
    pub sku: Option<String>,
    /// GTIN-13 digits.
    pub gtin: Option<String>,
    /// Of the event that this row was written from.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
