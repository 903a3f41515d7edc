//! What orders says.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{FulfilmentId, OrderId, RefundId, ReturnId, SellerId, TradeId, UserId};
use crate::money::Money;

/// Somebody placed an order. Its stock and its money are being asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    pub order_id: OrderId,
    /// `None`: a guest.
    pub user_id: Option<UserId>,
    pub total: Money,
    pub sellers: Vec<SellerId>,
}

/// The buyer must confirm the payment with their bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderActionNeeded {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
}

/// The money was taken and the stock is the buyer's: sellers may ship.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPaid {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub total: Money,
    pub sellers: Vec<SellerId>,
}

/// An order came to nothing: nothing is reserved and nothing is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub sellers: Vec<SellerId>,
    /// `SOLD_OUT`, `DECLINED`, `NOT_CONFIRMED`, `CANCELLED`, `TIMED_OUT`.
    pub reason: String,
}

/// An order can neither go on nor back by itself: an operator must look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderStuck {
    pub order_id: OrderId,
    /// The state of its saga, such as `stuck_capturing`.
    pub state: String,
}

/// A seller will send their part of a paid order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderConfirmed {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub seller_id: SellerId,
}

/// A seller sent a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderShipped {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub seller_id: SellerId,
    pub fulfilment_id: FulfilmentId,
    pub carrier: String,
    pub tracking: Option<String>,
}

/// A parcel reached the buyer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDelivered {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub seller_id: SellerId,
    pub fulfilment_id: FulfilmentId,
}

/// Money of an order went back to the buyer, or could not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRefunded {
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub seller_id: SellerId,
    pub refund_id: RefundId,
    pub amount: Money,
    /// `false`: it could not; somebody must look.
    pub done: bool,
}

/// Where a return stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnStatus {
    Requested,
    Accepted,
    Rejected,
    Received,
}

/// A buyer wants to send goods back, or the seller answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnChanged {
    pub return_id: ReturnId,
    pub order_id: OrderId,
    pub user_id: Option<UserId>,
    pub seller_id: SellerId,
    pub status: ReturnStatus,
}

/// Why a trade came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TradeFailure {
    /// The buyer could not pay. The seller's ask is offered again where it stood.
    PaymentFailed,
    /// The seller did not ship in time. The ask stays away.
    NotShipped,
    /// The goods are not what they should be. The ask stays away.
    AuthenticationFailed,
    /// Staff undid the match. The ask stays away.
    Undone,
}

/// A match of `bidding.matched` came to nothing. It counts neither as a sale of the seller nor, when the buyer could not
/// pay, against the ask, which comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TradeFailed {
    pub trade_id: TradeId,
    pub buyer_id: UserId,
    pub seller_id: SellerId,
    pub because: TradeFailure,
}

/// Somebody did not keep to a match: a buyer who could not pay, a seller who did not ship or whose piece was not what it was
/// sold as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Struck {
    pub user_id: UserId,
    pub trade_id: TradeId,
    /// Their strikes that count, this one included.
    pub strikes: u64,
    /// Until enough of them have lapsed they do not trade. `None`: in good standing still.
    pub suspended_until: Option<DateTime<Utc>>,
}
