//! The one row that whoever changes the shape of the tree updates first, so that two moves cannot make a circle.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "category_tree")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// How often the tree changed.
    pub changes: i64,
}

impl ActiveModelBehavior for ActiveModel {}
