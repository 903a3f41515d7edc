//! What an order carries besides its price: who sells, what the buyer pays with, where it goes. It rides with the command
//! through the journal, so that it is durable exactly when the order is.

use aws_lc_rs::digest;
use contract::{AddressId, BackingId, HoldingId, OfferId, SellerId, UserId};
use serde::{Deserialize, Serialize};

/// The terms of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The shop of an ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_id: Option<SellerId>,
    /// What a bid is paid with: a provider's opaque token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// Where what a bid buys goes: an entry of the buyer's address book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_id: Option<AddressId>,
    /// The offer whose stock backs an ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<OfferId>,
    /// What of it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing_id: Option<BackingId>,
    /// What is held for a bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding_id: Option<HoldingId>,
    /// What a repeat of the request must equal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_hash: String,
}

impl Terms {
    /// As it stands in the journal.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("terms are plain data")
    }

    pub fn decode(note: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(note)
    }
}

/// A digest of what somebody asked for, in hexadecimal.
pub fn request_hash(body: &impl Serialize) -> String {
    let body = serde_json::to_vec(body).expect("requests are plain data");
    let digest = digest::digest(&digest::SHA256, &body);
    digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the stock that is kept for what somebody asked for with a key.
pub fn backing_id(user: UserId, operation: &str, key: &str) -> BackingId {
    let digest = digest::digest(&digest::SHA256, format!("{user} {operation} {key}").as_bytes());
    let half = digest.as_ref().first_chunk::<16>().expect("SHA-256 has 32 bytes");
    BackingId(uuid::Builder::from_custom_bytes(*half).into_uuid())
}

/// The name of the money that is held for what somebody asked for with a key.
pub fn holding_id(user: UserId, operation: &str, key: &str) -> HoldingId {
    HoldingId(backing_id(user, operation, key).0)
}

/// A client's idempotency key as the engine remembers it.
pub fn engine_key(operation: &str, key: &str) -> matching::Key {
    let digest = digest::digest(&digest::SHA256, format!("{operation} {key}").as_bytes());
    let half = digest.as_ref().first_chunk::<16>().expect("SHA-256 has 32 bytes");
    matching::Key(u128::from_be_bytes(*half))
}
