//! What orders says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{OrderId, SellerId, UserId};
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
