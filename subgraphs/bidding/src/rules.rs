//! What holds for all markets: settings of the marketplace.

use chrono::TimeDelta;
use matching::Limits;

/// What a bid needs before it is in the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BidPolicy {
    /// It names a payment method, which is charged after a match.
    #[default]
    VerifyOnly,
    /// What it may cost is held on the payment method, for each piece; a match takes what it costs.
    FullHold,
}

/// The rules of markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Partitions that new markets are spread over, 1 to 256. On PostgreSQL each can be written by another process; a SQLite
    /// file takes one commit at a time, and all markets go to one.
    pub partitions: u32,
    /// Commands of one account in a second, and at once.
    pub commands_per_second: u32,
    pub commands_at_once: u32,
    /// Orders that an account may have in one market, and in all markets of a partition.
    pub orders_per_market: u32,
    pub orders: u32,
    /// What a bid needs before it is in the book.
    pub bid_policy: BidPolicy,
    /// How long stock is kept for an ask after its end: what a match at the last moment needs until it is shipped.
    pub trade_within: TimeDelta,
}

impl Default for Rules {
    fn default() -> Self {
        let engine = Limits::default();
        Self {
            partitions: 4,
            commands_per_second: 100,
            commands_at_once: 200,
            orders_per_market: engine.orders_per_account_and_market,
            orders: engine.orders_per_account,
            bid_policy: BidPolicy::default(),
            trade_within: TimeDelta::days(5),
        }
    }
}

impl Rules {
    /// As the engine knows them.
    pub fn limits(&self) -> Limits {
        Limits {
            orders_per_account_and_market: self.orders_per_market,
            orders_per_account: self.orders,
            ..Limits::default()
        }
    }
}
