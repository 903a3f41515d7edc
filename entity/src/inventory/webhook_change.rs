//! The newest stock of an offer that a webhook has not been told yet: one row for each offer, however often it changes.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub webhook_id: contract::WebhookId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub variant_id: contract::VariantId,
    pub on_hand: i64,
    pub reserved: i64,
    pub available: i64,
    pub sequence: i64,
    pub changed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
