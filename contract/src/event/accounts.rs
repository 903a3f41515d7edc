//! What accounts says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{SellerId, UserId};

/// Somebody made an account. Personal data stays with accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserRegistered {
    pub user_id: UserId,
}

/// Where a seller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SellerStatus {
    /// Applied, not yet looked at.
    Pending,
    /// May sell.
    Verified,
    /// Was refused; may apply again.
    Rejected,
    /// May not sell until reinstated.
    Suspended,
}

/// A seller as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SellerChanged {
    pub seller_id: SellerId,
    /// The user who owns the shop.
    pub user_id: UserId,
    /// The shop's public name.
    pub name: String,
    pub status: SellerStatus,
}
