//! One entry of the ledger, never changed: an amount from the debited to the credited account.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::TransferId,
    pub kind: Kind,
    /// The pending transfer that this one posts or voids.
    pub pending_id: Option<contract::TransferId>,
    pub debit: String,
    pub credit: String,
    pub amount_minor: i64,
    pub currency: String,
    pub reason: Reason,
    /// Says what it is for: the same thing is never booked twice.
    #[sea_orm(unique)]
    pub key: String,
    pub payment_id: Option<contract::PaymentId>,
    pub order_id: Option<contract::OrderId>,
    pub seller_id: Option<contract::SellerId>,
    pub at: DateTimeUtc,
}

/// `Pending` keeps money back until it is posted or voided, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Posted,
    Pending,
    Post,
    Void,
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Reason {
    Capture,
    Settle,
    ProviderFee,
    Refund,
    RefundReturned,
    RefundCover,
    Release,
    Fee,
    Tax,
    Netting,
    Payout,
    PayoutPaid,
    PayoutFailed,
    Reversal,
    DisputeOpened,
    DisputeWon,
    DisputeLost,
    DisputeFee,
    Penalty,
}

impl ActiveModelBehavior for ActiveModel {}
