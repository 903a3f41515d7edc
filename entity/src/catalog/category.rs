//! Nodes of the category tree.

use contract::CategoryId;

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "category")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    /// Null: a root.
    pub parent_id: Option<CategoryId>,
    pub name: String,
    #[sea_orm(unique)]
    pub handle: String,
    /// The handles from the root to here: `shoes/sneakers`.
    pub path: String,
    pub version: i64,
}

impl Model {
    /// The handles of the categories above, root first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let handles = self.path.split('/');
        handles.filter(|handle| *handle != self.handle)
    }
}

impl ActiveModelBehavior for ActiveModel {}
