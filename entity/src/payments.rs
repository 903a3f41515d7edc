//! Tables of payments: payments and their shares, provider calls, refunds, disputes, payouts, the ledger, and what the
//! sandbox provider remembers.

pub mod difference;
pub mod dispute;
pub mod ledger_account;
pub mod ledger_transfer;
pub mod payee;
pub mod payment;
pub mod payment_share;
pub mod payment_step;
pub mod payout;
pub mod provider_event;
pub mod refund;
pub mod sandbox_call;
pub mod sandbox_object;
pub mod sandbox_setting;
pub mod seller;
pub mod seller_account;
pub mod share_claim;
