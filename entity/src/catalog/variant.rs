//! One size or edition of a product.

use contract::{ProductId, VariantId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VariantId,
    pub product_id: ProductId,
    pub size: Option<String>,
    pub edition: Option<String>,
    /// Unique within the product.
    pub sku: Option<String>,
    /// GTIN-13 digits, unique in the whole catalog.
    pub gtin: Option<String>,
    /// Where it stands in the product's list; equal ones stand in the order in which they came.
    pub position: i32,
    /// The variant that it turned out to be. Null: itself.
    pub merged_into: Option<VariantId>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
