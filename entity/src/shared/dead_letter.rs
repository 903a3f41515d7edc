//! Events that a consumer could not apply, waiting for an operator.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: contract::EventId,
    pub kind: String,
    /// The whole [`contract::Envelope`] as JSON.
    #[sea_orm(column_type = "Text")]
    pub envelope: String,
    #[sea_orm(column_type = "Text")]
    pub error: String,
    pub attempts: i32,
    pub failed_at: DateTimeUtc,
    pub status: Status,
    /// Why an operator dropped it.
    pub reason: Option<String>,
    pub resolved_at: Option<DateTimeUtc>,
}

/// `Waiting` becomes `Retried` or `Dropped` by an operator's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Waiting,
    Retried,
    Dropped,
}

impl ActiveModelBehavior for ActiveModel {}
