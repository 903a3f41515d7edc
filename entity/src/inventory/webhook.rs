//! An address outside that is told of a seller's stock.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::WebhookId,
    pub seller_id: contract::SellerId,
    #[sea_orm(column_type = "Text")]
    pub url: String,
    pub enabled: bool,
    /// Since when every delivery has failed; null: the last one worked.
    pub failing_since: Option<DateTimeUtc>,
    /// Switched off by itself, because it failed for days.
    pub given_up: bool,
    /// Until then one process delivers; who died gives it up by time.
    pub claimed_until: DateTimeUtc,
    /// Counts up by one with every change by a user.
    pub version: i64,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
