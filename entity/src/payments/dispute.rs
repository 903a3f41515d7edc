//! A buyer's bank that takes a payment back, for now or for good.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dispute")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::DisputeId,
    pub payment_id: contract::PaymentId,
    /// The provider's name of it.
    #[sea_orm(unique)]
    pub reference: String,
    pub amount_minor: i64,
    /// What the provider takes for it.
    pub fee_minor: i64,
    pub reason: String,
    pub status: Status,
    pub created_at: DateTimeUtc,
    pub decided_at: Option<DateTimeUtc>,
}

/// `Open` becomes `Won` or `Lost`, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    Open,
    Won,
    Lost,
}

impl ActiveModelBehavior for ActiveModel {}
