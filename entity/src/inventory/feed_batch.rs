//! What a feed sent under one key, and how far it has been applied.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_batch")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::FeedBatchId,
    pub feed_id: contract::FeedId,
    /// The sender's idempotency key: different in each batch of a feed.
    pub key: String,
    /// SHA-256 of what was sent, to tell a repeat from a reuse.
    pub body_hash: String,
    /// The time that the sender signed: when a line does not say when it was counted.
    pub sent_at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    /// When the last line was applied; null: it was interrupted, and a repeat completes it.
    pub finished_at: Option<DateTimeUtc>,
    pub lines: i32,
    /// The first so many have their answers.
    pub lines_done: i32,
    pub applied: i32,
    pub limited: i32,
    pub unchanged: i32,
    pub stale: i32,
    pub refused: i32,
}

impl ActiveModelBehavior for ActiveModel {}
