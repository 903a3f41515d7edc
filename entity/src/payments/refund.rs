//! Money on its way back to a buyer.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::RefundId,
    pub payment_id: contract::PaymentId,
    pub amount_minor: i64,
    pub state: State,
    pub reason: String,
    pub reference: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

/// `Pending` becomes `Succeeded` or `Failed`; `Succeeded` becomes `Failed` when a bank sends it back; a failed one can be sent
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Pending,
    Succeeded,
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
