//! What payments is asked, and what it answers.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{DisputeId, OrderId, PaymentId, PayoutId, RefundId, SellerId, UserId};
use crate::money::Money;

/// One seller's share of what the buyer pays: `amount_minor` is all of it, and what the others say is part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    pub seller_id: SellerId,
    /// Goods and shipping after discounts, tax included.
    pub amount_minor: i64,
    /// Tax in it, which the platform collects.
    pub tax_minor: i64,
    /// What the platform keeps for its service.
    pub fee_minor: i64,
}

/// Ask: hold the buyer's money, without taking it yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorisePayment {
    /// Chosen by the asker: asking twice with one id holds once.
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// `None`: a guest.
    pub user_id: Option<UserId>,
    /// The sum of the shares.
    pub amount: Money,
    pub shares: Vec<Share>,
    /// What the buyer pays with: a provider's opaque token, such as `pm_card_visa`. Never a card number.
    pub method: String,
    /// When the asker gives up: later than this, nothing may be held.
    pub expires_at: DateTime<Utc>,
}

/// Ask: hold what a piece that somebody bids for may cost. It belongs to no order until a trade takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldMoney {
    /// Chosen by the asker: asking twice with one id holds once.
    pub payment_id: PaymentId,
    pub user_id: UserId,
    /// The most that the piece may cost.
    pub amount: Money,
    /// What the buyer pays with: a provider's opaque token, such as `pm_card_visa`. Never a card number.
    pub method: String,
    /// When nobody needs it any more: later than this, nothing may be held.
    pub expires_at: DateTime<Utc>,
}

/// Ask: take what a trade costs out of a hold, which is the trade's payment from then on. The rest of the hold is let go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureHold {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// At most what is held; the sum of the shares.
    pub amount: Money,
    pub shares: Vec<Share>,
}

/// Ask: take the money that is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapturePayment {
    pub payment_id: PaymentId,
    /// What the answer speaks of, when nobody here has heard of the payment.
    pub order_id: OrderId,
}

/// Ask: give the hold up. A payment that was never authorised is closed, so that a late authorisation holds nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoidPayment {
    pub payment_id: PaymentId,
    /// What the answer speaks of, when nobody here has heard of the payment.
    pub order_id: OrderId,
    pub reason: String,
}

/// Ask: give captured money back to the buyer, out of the shares of the sellers named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundPayment {
    /// Chosen by the asker: asking twice with one id refunds once.
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    /// What the answer speaks of, when nobody here has heard of the payment.
    pub order_id: OrderId,
    /// What of each seller's share goes back: never more than is left of it.
    pub shares: Vec<Share>,
    pub reason: String,
}

/// Ask: what is left of one seller's share is theirs now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReleasePayment {
    /// Chosen by the asker: asking twice with one id pays once.
    pub payout_id: PayoutId,
    pub payment_id: PaymentId,
    /// What the answer speaks of, when nobody here has heard of the payment.
    pub order_id: OrderId,
    pub seller_id: SellerId,
}

/// The buyer's money is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorised {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount: Money,
    /// When the provider lets the hold go by itself.
    pub held_until: DateTime<Utc>,
}

/// How a hold stands that belongs to no order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldChanged {
    pub payment_id: PaymentId,
    pub standing: HoldStanding,
}

/// Whether a hold can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldStanding {
    /// The money is held, until the provider lets it go by itself.
    Held { until: DateTime<Utc> },
    /// Nothing is held that could be taken.
    Refused {
        /// The provider's word: `card_declined`, `authentication_required`.
        code: String,
        /// Safe to show to the buyer.
        message: String,
    },
    /// It was given up, or the provider let it go.
    Gone,
}

/// The buyer must confirm the payment with their bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentNeedsAction {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// Where the buyer confirms, when the provider has a page for it.
    pub redirect_url: Option<String>,
    /// What the provider's client library continues with.
    pub client_secret: Option<String>,
}

/// Nothing is held, and nothing will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDeclined {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    /// The provider's word: `card_declined`, `insufficient_funds`, `expired_card`.
    pub code: String,
    /// Safe to show to the buyer.
    pub message: String,
}

/// The buyer's money was taken and is held for the sellers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCaptured {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount: Money,
}

/// The hold cannot be captured any more: it lapsed or was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureFailed {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub code: String,
    pub message: String,
}

/// The hold was given up: nothing was taken, and nothing can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentVoided {
    pub payment_id: PaymentId,
    pub order_id: OrderId,
}

/// Money went back to the buyer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount: Money,
    /// All that has gone back of this payment so far.
    pub refunded_minor: i64,
}

/// Money did not go back to the buyer; what it was taken from has it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFailed {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub code: String,
    pub message: String,
}

/// A seller's share, less the platform's fee and tax, is theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReleased {
    pub payout_id: PayoutId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub seller_id: SellerId,
    pub amount: Money,
}

/// Ask: a seller did not keep to a sale, and owes a penalty. It is kept back from what they earn next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FineSeller {
    /// The payment of the sale.
    pub payment_id: PaymentId,
    /// One sale is fined once: asking twice fines once.
    pub order_id: OrderId,
    pub seller_id: SellerId,
    /// More than 0.
    pub amount: Money,
    /// Why, in a word: `NOT_SHIPPED`, `NOT_ARRIVED`, `NOT_AUTHENTIC`.
    pub reason: String,
}

/// Whether what a seller earns can be sent to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayeeChanged {
    pub seller_id: SellerId,
    /// The platform's payment provider pays them: they have an account there, or need none.
    pub ready: bool,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DisputeStatus {
    /// The buyer's bank has taken the money back for now.
    Open,
    /// The money came back.
    Won,
    /// The money is gone.
    Lost,
}

/// A buyer's bank disputes a payment, or has decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DisputeChanged {
    pub dispute_id: DisputeId,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub amount: Money,
    pub status: DisputeStatus,
}
