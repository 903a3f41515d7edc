//! What bidding says.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalog::Condition;
use crate::id::{
    AddressId, BookOrderId, MarketId, OfferId, PaymentId, ReservationId, SellerId, TradeId, UserId, VariantId,
};
use crate::money::Money;

/// One piece changed hands. It is durable and binding: a match of several pieces is said once for each of them, every one
/// with a trade id of its own, by which hearing it twice is hearing it once.
///
/// Everything that the settlement needs is frozen here. The buyer pays `price`; the seller gets `fees.payout_minor`; the
/// difference is the fees, to the last minor unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matched {
    pub trade_id: TradeId,
    pub market_id: MarketId,
    pub variant_id: VariantId,
    pub condition: Condition,
    pub bid_id: BookOrderId,
    pub ask_id: BookOrderId,
    pub buyer_id: UserId,
    /// The user behind the shop.
    pub seller_user_id: UserId,
    pub seller_id: SellerId,
    /// Of this piece: the resting order's price.
    pub price: Money,
    pub fees: SellerFees,
    /// What the buyer pays with: a provider's opaque token, such as `pm_card_visa`.
    pub payment_method: String,
    /// What is held on it for this piece, at least the price: whoever settles the trade takes it. `None`: nothing is held yet.
    pub hold: Option<PaymentId>,
    /// Where the piece goes: an entry of the buyer's address book.
    pub address_id: AddressId,
    /// The piece of inventory that the ask was backed by. `None`: the seller's word.
    pub backing: Option<Backing>,
    pub matched_at: DateTime<Utc>,
}

/// What is taken off the price of one piece, in minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SellerFees {
    /// The fee schedule that held at the match.
    pub schedule: String,
    /// The seller's level at the match, 1 to 5.
    pub level: u8,
    pub transaction_minor: i64,
    pub processing_minor: i64,
    /// What the seller gets: the price less the two above.
    pub payout_minor: i64,
    /// What the seller owes instead, should they not ship or the goods not be what they should be.
    pub penalty_minor: i64,
}

/// A piece of a shop's stock that is reserved for an ask. Whoever settles the trade commits or releases it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backing {
    pub offer_id: OfferId,
    /// Of exactly one piece.
    pub reservation_id: ReservationId,
}

/// A market as it is now. What is older than one already heard, by the aggregate's version, says nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ticker {
    pub market_id: MarketId,
    pub variant_id: VariantId,
    pub condition: Condition,
    /// `None`: nobody sells.
    pub lowest_ask: Option<Money>,
    /// `None`: nobody bids.
    pub highest_bid: Option<Money>,
    /// The price of the latest match. `None`: there was none.
    pub last_sale: Option<Money>,
    pub last_sale_at: Option<DateTime<Utc>>,
    /// The market's newest event in it; it is the aggregate's version too.
    pub sequence: i64,
}
