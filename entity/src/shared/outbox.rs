//! Events and asks that this service has said, in the transaction that made them true.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Order of insertion. Not of commit: never read "greater than the last seen".
    #[sea_orm(primary_key)]
    pub seq: i64,
    #[sea_orm(unique)]
    pub id: contract::EventId,
    pub kind: String,
    pub aggregate_kind: String,
    pub aggregate_id: Uuid,
    pub aggregate_version: i64,
    /// The whole [`contract::Envelope`] as JSON.
    #[sea_orm(column_type = "Text")]
    pub envelope: String,
    pub occurred_at: DateTimeUtc,
    /// Failed deliveries so far.
    pub attempts: i32,
    pub next_attempt_at: DateTimeUtc,
    /// Null until every consumer has it.
    pub published_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
