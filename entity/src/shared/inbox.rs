//! Events that a consumer of this service has applied: a second delivery finds its row and does nothing.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: contract::EventId,
    pub applied_at: DateTimeUtc,
    /// W3C trace context of the request that caused the event.
    pub traceparent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
