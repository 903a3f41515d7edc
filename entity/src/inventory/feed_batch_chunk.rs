//! The answers to some lines of a batch, written in the transaction that applied them.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_batch_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub batch_id: contract::FeedBatchId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_line: i32,
    /// JSON: an answer for each line.
    #[sea_orm(column_type = "Text")]
    pub answers: String,
}

impl ActiveModelBehavior for ActiveModel {}
