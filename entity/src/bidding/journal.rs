//! Batches of commands: what is here was acknowledged, and everything about markets follows from it.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bidding_journal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition: i32,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Of the writer.
    pub epoch: i64,
    /// Microseconds since 1970.
    pub ts: i64,
    /// Commands in it.
    pub n: i32,
    /// 64 bits of the engine's pulse after it.
    pub pulse: i64,
    pub crc32: i64,
    pub payload: Vec<u8>,
    /// What came along with the commands; null: nothing.
    pub notes: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
