//! What follows from a command.

use crate::{
    AccountId, Key, Limits, MarketId, MarketRules, OrderId, Price, Quantity, Refusal, Sequence, Side,
    Timestamp, TradeId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something happened in a market.
    Book(BookEvent),
    LimitsSet(Limits),
    SellingPaused {
        account: AccountId,
    },
    SellingResumed {
        account: AccountId,
    },
    /// Time passed.
    Ticked {
        ts: Timestamp,
    },
    /// The command had been given before: what came of it then.
    Repeated {
        account: AccountId,
        key: Key,
        answer: Result<Answer, Refusal>,
    },
    /// The command changed nothing.
    Refused {
        account: Option<AccountId>,
        refusal: Refusal,
    },
}

/// One step of a market. Steps are numbered without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookEvent {
    pub market: MarketId,
    /// 1 more than that of the market's event before.
    pub seq: u64,
    /// The engine's time.
    pub ts: Timestamp,
    pub change: Change,
}

/// The depth of a book follows from these: `Rested` adds; `Matched` takes from the maker; `Amended`, `Cancelled` with
/// `resting` and `Expired` take or change what rested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The market opened or has new rules.
    RulesSet(MarketRules),
    /// An order was taken in. What becomes of it follows: matches, then at most one of rested and cancelled.
    Placed(Placed),
    Matched(Matched),
    /// A quantity began to rest in the book.
    Rested(Rested),
    Amended(Amended),
    Cancelled(Cancelled),
    Expired(Expired),
    PaymentFailed(PaymentFailed),
    /// One piece of an ask is offered again. What becomes of it follows, as after `Placed`.
    Returned(Returned),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub order: OrderId,
    pub account: AccountId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    /// `None`: it never rests.
    pub expires_at: Option<Timestamp>,
    pub sequence: Sequence,
}

/// A quantity changed hands at the maker's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The first piece; the others follow without gaps.
    pub trade: TradeId,
    pub price: Price,
    pub quantity: Quantity,
    /// The resting order.
    pub maker: OrderId,
    pub maker_account: AccountId,
    pub maker_side: Side,
    /// What is left of the maker; 0: it is filled and gone.
    pub maker_remaining: Quantity,
    /// The incoming order.
    pub taker: OrderId,
    pub taker_account: AccountId,
    pub taker_remaining: Quantity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rested {
    pub order: OrderId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    pub sequence: Sequence,
}

/// A resting order changed. When its sequence changed it left the book with this event: matches may follow, then `Rested`
/// with what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amended {
    pub order: OrderId,
    pub account: AccountId,
    pub side: Side,
    pub price_before: Price,
    pub price: Price,
    pub remaining_before: Quantity,
    pub remaining: Quantity,
    pub expires_at: Timestamp,
    pub sequence: Sequence,
    /// Whether the order kept its place in the queue.
    pub kept_place: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    pub order: OrderId,
    pub account: AccountId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    /// Whether the quantity was in the book; `false`: it was the rest of an incoming order.
    pub resting: bool,
    pub reason: Reason,
}

/// Why a quantity was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Owner,
    /// The rest of an immediate order.
    Immediate,
    SelfTrade,
    SellingPaused,
    AuthLapsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    pub order: OrderId,
    pub account: AccountId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentFailed {
    pub trade: TradeId,
    pub ask: OrderId,
    pub bid: OrderId,
    /// The price of the match.
    pub price: Price,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub trade: TradeId,
    pub order: OrderId,
    pub account: AccountId,
    pub price: Price,
    pub sequence: Sequence,
}

/// What came of a command about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub order: OrderId,
    pub status: Status,
    /// Pieces of it that are matched.
    pub filled: Quantity,
    /// Pieces of it that rest.
    pub remaining: Quantity,
}

/// Where an order stands. All but `Open` are final, except that a filled ask may come back when a payment fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Filled,
    /// What was not matched is cancelled.
    Cancelled,
    Expired,
}
