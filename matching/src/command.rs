//! What can be asked of the engine.

use crate::{AccountId, Key, MarketId, OrderId, Price, Quantity, Timestamp, TradeId};

/// One command and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// When it was taken in. An earlier time than that of a command before it counts as that one's time.
    pub ts: Timestamp,
    pub action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens a market, or gives an open one new rules; orders that rest already stay as they are.
    SetMarket {
        market: MarketId,
        rules: MarketRules,
    },
    /// Changes the caps for what comes after it.
    SetLimits(Limits),
    Place(Place),
    Amend(Amend),
    /// An amendment that never takes more than there is: for orders that something is kept for elsewhere. Refused when it
    /// would leave more pieces or a later end than the order has at this moment.
    Reduce(Amend),
    Cancel(Cancel),
    /// Cancels all asks of an account; until [`ResumeSelling`](Self::ResumeSelling) it can place none and none comes back.
    PauseSelling {
        account: AccountId,
    },
    ResumeSelling {
        account: AccountId,
    },
    /// The payment behind an order can no longer pay: the order leaves with [`Reason::AuthLapsed`](crate::Reason).
    AuthLapsed {
        order: OrderId,
    },
    /// The buyer of one matched piece could not pay: the ask comes back with its original sequence, unless it expired, was
    /// cancelled, its owner pauses, or it was placed with `returns: false`.
    PaymentFailed {
        trade: TradeId,
    },
    /// Only lets time pass: what is due expires.
    Tick,
}

/// Prices that a market takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketRules {
    /// Every price is a multiple of it; at least 1.
    pub tick: Price,
    /// The lowest price, at least 1.
    pub price_min: Price,
    /// The highest price.
    pub price_max: Price,
}

/// What holds for every market of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Resting orders of one account in one market.
    pub orders_per_account_and_market: u32,
    /// Resting orders of one account.
    pub orders_per_account: u32,
    /// The longest life of an order, and its life when it names none. `i64::MAX`: for ever.
    pub lifetime_us: i64,
    /// How long idempotency keys, final states of orders and matches that can fail are remembered.
    pub retention_us: i64,
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            orders_per_account_and_market: 100,
            orders_per_account: 10_000,
            lifetime_us: 30 * DAY_US,
            retention_us: 3 * DAY_US,
        }
    }
}

/// A new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub account: AccountId,
    /// The same key again gives the first answer again; with another command it is a conflict.
    pub key: Option<Key>,
    pub market: MarketId,
    pub side: Side,
    /// The limit: a bid pays no more, an ask gets no less.
    pub price: Price,
    /// At least 1.
    pub quantity: Quantity,
    pub life: Life,
    pub self_trade: SelfTrade,
    /// Whether an ask comes back when the payment of a matched piece fails. Means nothing on a bid.
    pub returns: bool,
}

impl Place {
    /// An order with the longest life, without a key.
    pub fn resting(
        account: AccountId,
        market: MarketId,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Self {
        let life = Life::Rest { expires_at: None };
        let self_trade = SelfTrade::ExpireTaker;
        Self { account, key: None, market, side, price, quantity, life, self_trade, returns: true }
    }

    /// Buy now or sell now: what cannot be matched at once at `price` or better is cancelled.
    pub fn immediate(
        account: AccountId,
        market: MarketId,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Self {
        Self { life: Life::Immediate, ..Self::resting(account, market, side, price, quantity) }
    }
}

/// A change to a resting order. `None` leaves a field as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend {
    pub account: AccountId,
    pub key: Option<Key>,
    pub order: OrderId,
    /// Another price loses the order's place in the queue, and matches if it crosses.
    pub price: Option<Price>,
    /// The new total, what is filled already included. More than before loses the order's place in the queue.
    pub quantity: Option<Quantity>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    pub account: AccountId,
    pub key: Option<Key>,
    pub order: OrderId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Bid,
    Ask,
}

impl Side {
    pub fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }
}

/// What becomes of the part that is not matched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It rests until it is matched, cancelled or dead at `ts >= expires_at`; `None`: as long as the limits allow.
    Rest { expires_at: Option<Timestamp> },
    /// It rests for so long from the engine's time on. A repeat of the command is equal to it, whenever it comes.
    RestFor { lifetime_us: i64 },
    /// It is cancelled. When nothing at all can be matched the order is refused with the current best price.
    Immediate,
}

/// What happens when an order meets one of its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTrade {
    /// The incoming order stops there; what is left of it is cancelled. Matches before it stand.
    ExpireTaker,
    /// The resting order is cancelled and the incoming one goes on.
    ExpireMaker,
}
