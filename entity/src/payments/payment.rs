//! What a buyer pays for an order, and how far it is.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::PaymentId,
    /// Of what is held for a bid: its own uuid, until a trade takes it.
    pub order_id: contract::OrderId,
    /// Money that is held for a bid and that no trade has taken yet: it has no shares.
    pub for_bid: bool,
    /// Null for guests.
    pub user_id: Option<contract::UserId>,
    /// Who moves the money: `sandbox`, `stripe`.
    pub provider: String,
    /// The provider's opaque token of what the buyer pays with.
    pub method: String,
    pub currency: String,
    pub amount_minor: i64,
    pub captured_minor: i64,
    /// What has gone back to the buyer.
    pub refunded_minor: i64,
    pub disputes_open: i32,
    pub state: State,
    /// The provider's name of the payment.
    pub reference: Option<String>,
    /// The provider's name of what was captured: transfers are taken from it.
    pub charge: Option<String>,
    /// Why it was declined or failed: the provider's word, and a text for the buyer.
    pub code: Option<String>,
    pub message: Option<String>,
    pub redirect_url: Option<String>,
    pub client_secret: Option<String>,
    pub void_reason: Option<String>,
    /// Why an operator must look; null: nobody need.
    pub attention: Option<String>,
    /// Later than this, nothing may be held.
    pub expires_at: DateTimeUtc,
    /// When the provider lets the hold go by itself.
    pub held_until: Option<DateTimeUtc>,
    /// Counts up by one with every change.
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// Where a payment stands. `payments::payment::state` has the moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    Authorising,
    NeedsAction,
    Authorised,
    Voiding,
    Voided,
    Declined,
    Capturing,
    Captured,
    PartlyRefunded,
    Refunded,
    Disputed,
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
