//! How far orders and trades follow the journal.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_watermark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// The last row of the journal that they have.
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
