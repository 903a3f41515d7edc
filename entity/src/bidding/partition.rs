//! Who may append to a partition's journal: only a writer with this epoch. Where it is.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_partition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// Rises each time somebody takes the partition.
    pub epoch: i64,
    /// Where other processes reach whoever took it: scheme, host and port. None: it did not say.
    pub address: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
