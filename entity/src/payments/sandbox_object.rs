//! What the sandbox provider remembers: intents, refunds, transfers, reversals, disputes.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sandbox_object")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub kind: Kind,
    /// The intent that it belongs to; of a reversal, the transfer.
    pub parent: Option<String>,
    /// What it was made for: the id of our payment, refund or payout.
    pub subject: String,
    pub amount_minor: i64,
    pub currency: String,
    pub status: Status,
    pub method: String,
    pub fee_minor: i64,
    /// What it changed of the platform's balance.
    pub balance_minor: i64,
    pub held_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Intent,
    Refund,
    Transfer,
    Reversal,
    Dispute,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Status {
    NeedsAction,
    Held,
    Declined,
    Captured,
    Cancelled,
    Done,
    Failed,
    Open,
    Won,
    Lost,
}

impl ActiveModelBehavior for ActiveModel {}
