//! One thing that is asked of a provider. Its key is stored before any call.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::StepId,
    pub payment_id: contract::PaymentId,
    /// The payment, refund or payout that the step is for.
    pub subject: Uuid,
    pub kind: Kind,
    /// The idempotency key that the provider gets: `{payment}:{step}:{epoch}`.
    #[sea_orm(unique)]
    pub key: String,
    /// Raised only when it is proven that the earlier key did nothing.
    pub epoch: i32,
    pub state: State,
    /// Ask the provider what is, instead of sending.
    pub reads: bool,
    pub amount_minor: i64,
    /// Answers that told nothing, so far.
    pub attempts: i32,
    pub next_run_at: DateTimeUtc,
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<DateTimeUtc>,
    /// When this key was first sent, or may have been.
    pub first_sent_at: Option<DateTimeUtc>,
    /// The pending transfer of a reversal.
    pub hold_id: Option<contract::TransferId>,
    pub last_error: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Authorise,
    Capture,
    Void,
    Refund,
    Transfer,
    Reverse,
    Read,
}

/// `Waiting` becomes `Done` or `Dropped`, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Waiting,
    Done,
    Dropped,
}

impl ActiveModelBehavior for ActiveModel {}
