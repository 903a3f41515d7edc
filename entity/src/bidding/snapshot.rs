//! Whole states, so that a start need not replay everything.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_snapshot")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// The last row of the journal in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// 64 bits.
    pub digest: i64,
    pub crc32: i64,
    pub payload: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
