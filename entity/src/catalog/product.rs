//! Things that can be sold, in all their sizes and editions.

use contract::{ProductId, SellerId};

use super::Publication;
use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductId,
    #[sea_orm(unique)]
    pub handle: String,
    pub title: String,
    /// The title in lower case: what lists sort by.
    pub title_key: String,
    /// The words of the title, however they are written and in whatever order: what finds the like.
    pub match_key: Option<String>,
    pub brand: Option<String>,
    /// The brand in lower case: what filters compare.
    pub brand_key: Option<String>,
    pub model: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub publication: Publication,
    /// The seller who created it. Null: an admin did.
    pub seller_id: Option<SellerId>,
    /// The product that it turned out to be. Null: itself.
    pub merged_into: Option<ProductId>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
