//! Who may append to a partition's journal: only a writer with this epoch.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_partition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// Rises each time somebody takes the partition.
    pub epoch: i64,
}

impl ActiveModelBehavior for ActiveModel {}
