//! What is asked for when an order is placed.

use async_graphql::InputObject;
use contract::{AddressId, Long, MarketId, OfferId, SellerId};
use serde::Serialize;

use crate::limits::DAYS_DEFAULT;

/// A bid: to buy at this price or less.
#[derive(InputObject, Serialize)]
pub struct PlaceBidInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    pub(super) idempotency_key: String,
    /// Where to bid.
    pub(super) market_id: MarketId,
    /// What you pay for a piece at most, in minor units of the market's currency.
    #[serde(serialize_with = "number")]
    pub(super) price_minor: Long,
    /// Pieces, 1 to 1,000.
    #[graphql(default = 1)]
    pub(super) quantity: i32,
    /// When the bid dies: in 1, 3, 7, 14 or 30 days.
    #[graphql(default_with = "DAYS_DEFAULT")]
    pub(super) expires_in_days: i32,
    /// What you pay with: a token of the payment provider, such as `pm_card_visa`. Never a card number. Nothing is taken
    /// before a match; where the marketplace holds money for bids, one that must be confirmed with the bank is declined.
    pub(super) payment_method: String,
    /// Where the goods go: an entry of your address book.
    pub(super) address_id: AddressId,
}

/// An ask: to sell at this price or more.
#[derive(InputObject, Serialize)]
pub struct PlaceAskInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    pub(super) idempotency_key: String,
    /// Where to sell.
    pub(super) market_id: MarketId,
    /// What you want for a piece at least, in minor units of the market's currency; the fees come out of it.
    #[serde(serialize_with = "number")]
    pub(super) price_minor: Long,
    /// Pieces, 1 to 1,000.
    #[graphql(default = 1)]
    pub(super) quantity: i32,
    /// When the ask dies: in 1, 3, 7, 14 or 30 days.
    #[graphql(default_with = "DAYS_DEFAULT")]
    pub(super) expires_in_days: i32,
    /// The shop that sells. Without it, your only one.
    pub(super) seller_id: Option<SellerId>,
    /// The shop's offer whose stock backs the ask: a piece of it is reserved for each of yours, 1 to 100, so that nothing is
    /// sold in a cart as well. What is not matched is free again when the ask ends. Without it the ask is your word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offer_id: Option<OfferId>,
}

/// To buy at once what is offered.
#[derive(InputObject, Serialize)]
pub struct BuyNowInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    pub(super) idempotency_key: String,
    /// Where to buy.
    pub(super) market_id: MarketId,
    /// The lowest ask that you saw, in minor units of the market's currency: you pay no more for a piece.
    #[serde(serialize_with = "number")]
    pub(super) max_price_minor: Long,
    /// Pieces, 1 to 1,000. What cannot be had at this price is not bought.
    #[graphql(default = 1)]
    pub(super) quantity: i32,
    /// What you pay with: a token of the payment provider, such as `pm_card_visa`. Never a card number.
    pub(super) payment_method: String,
    /// Where the goods go: an entry of your address book.
    pub(super) address_id: AddressId,
}

/// To sell at once to who bids.
#[derive(InputObject, Serialize)]
pub struct SellNowInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    #[serde(skip)]
    pub(super) idempotency_key: String,
    /// Where to sell.
    pub(super) market_id: MarketId,
    /// The highest bid that you saw, in minor units of the market's currency: you get no less for a piece.
    #[serde(serialize_with = "number")]
    pub(super) min_price_minor: Long,
    /// Pieces, 1 to 1,000. What cannot be sold at this price is not sold.
    #[graphql(default = 1)]
    pub(super) quantity: i32,
    /// The shop that sells. Without it, your only one.
    pub(super) seller_id: Option<SellerId>,
    /// The shop's offer whose stock backs the ask: a piece of it is reserved for each of yours, 1 to 100, so that nothing is
    /// sold in a cart as well. What is not matched is free again when the ask ends. Without it the ask is your word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offer_id: Option<OfferId>,
}

fn number<S: serde::Serializer>(long: &Long, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_i64(long.0)
}
