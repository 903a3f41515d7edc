//! Images of a product, in the order in which they show.

use contract::{ImageId, ProductId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "image")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImageId,
    pub product_id: ProductId,
    pub position: i32,
    pub url: String,
    pub alt: String,
}

impl ActiveModelBehavior for ActiveModel {}
