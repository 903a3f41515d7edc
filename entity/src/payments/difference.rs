//! Where the provider and the ledger, or a payment, contradict each other: for an operator.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "difference")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider: String,
    pub kind: Kind,
    pub currency: String,
    pub payment_id: Option<contract::PaymentId>,
    pub ledger_minor: i64,
    pub provider_minor: i64,
    pub details: String,
    pub found_at: DateTimeUtc,
    pub resolved_at: Option<DateTimeUtc>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Balance,
    Captured,
    Refunded,
    OrphanHold,
}

impl ActiveModelBehavior for ActiveModel {}
