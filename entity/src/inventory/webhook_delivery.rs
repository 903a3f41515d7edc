//! A message to a webhook: sent until it is taken, with the same id and the same body. The log that its seller sees.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::DeliveryId,
    pub webhook_id: contract::WebhookId,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// Offers in it.
    pub changes: i32,
    pub state: State,
    pub attempts: i32,
    /// Since when it is tried: its making, or the last time that somebody asked for it again.
    pub began_at: DateTimeUtc,
    pub next_attempt_at: DateTimeUtc,
    pub last_attempt_at: Option<DateTimeUtc>,
    /// The HTTP status of the last answer.
    pub last_status: Option<i32>,
    /// Why there was no answer.
    pub last_error: Option<String>,
    pub created_at: DateTimeUtc,
}

/// `Waiting` becomes `Delivered` or `Failed`; `Failed` and `Delivered` become `Waiting` when somebody asks for it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Waiting,
    Delivered,
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
