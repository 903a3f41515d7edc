//! What holds for all markets.

use anyhow::ensure;
use bidding::rules::{BidPolicy, Rules};
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use orders::trade::rules::Rules as TradeRules;

/// Partitions of all markets.
const PARTITIONS_MAX: u32 = bidding::engine::PARTITIONS;
/// The highest rate of one account.
const COMMANDS_MAX: u32 = 100_000;
/// The most orders of one account.
const ORDERS_MAX: u32 = 1_000_000;
/// How much longer than a trade may take the stock behind an ask is kept: nothing is due to the minute.
const KEPT_LONGER: TimeDelta = TimeDelta::days(1);

/// What a bid needs before it is in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// A payment method, which is charged after a match.
    VerifyOnly,
    /// What it may cost is held on the payment method, for each piece. It ends before its holds do, after some days.
    FullHold,
}

impl From<Policy> for BidPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::VerifyOnly => Self::VerifyOnly,
            Policy::FullHold => Self::FullHold,
        }
    }
}

/// The rules of markets.
#[derive(Clone, Debug, Args)]
pub struct MarketSettings {
    /// Partitions that new markets are spread over, on PostgreSQL: each can be written by another process.
    #[arg(long, env = "SOUK_MARKET_PARTITIONS", default_value_t = 4)]
    pub market_partitions: u32,
    /// Bids, asks, changes and cancellations that an account may send in a second.
    #[arg(long, env = "SOUK_MARKET_COMMANDS_PER_SECOND", default_value_t = 100)]
    pub market_commands_per_second: u32,
    /// Those that it may send at once.
    #[arg(long, env = "SOUK_MARKET_COMMANDS_AT_ONCE", default_value_t = 200)]
    pub market_commands_at_once: u32,
    /// Bids and asks that an account may have in one market.
    #[arg(long, env = "SOUK_MARKET_ORDERS_PER_MARKET", default_value_t = 100)]
    pub market_orders_per_market: u32,
    /// Bids and asks that an account may have in all markets of a partition.
    #[arg(long, env = "SOUK_MARKET_ORDERS", default_value_t = 10_000)]
    pub market_orders: u32,
    /// What a bid needs before it is in the book.
    #[arg(long, env = "SOUK_MARKET_BID_POLICY", default_value = "verify-only")]
    pub market_bid_policy: Policy,
}

impl MarketSettings {
    /// The rules. Stock is kept for an ask until a match at its last moment can be shipped.
    ///
    /// # Errors
    /// A number is out of range.
    pub fn rules(&self, trades: &TradeRules) -> anyhow::Result<Rules> {
        Ok(Rules {
            partitions: within("--market-partitions", self.market_partitions, PARTITIONS_MAX)?,
            commands_per_second: within(
                "--market-commands-per-second",
                self.market_commands_per_second,
                COMMANDS_MAX,
            )?,
            commands_at_once: within(
                "--market-commands-at-once",
                self.market_commands_at_once,
                COMMANDS_MAX,
            )?,
            orders_per_market: within(
                "--market-orders-per-market",
                self.market_orders_per_market,
                ORDERS_MAX,
            )?,
            orders: within("--market-orders", self.market_orders, ORDERS_MAX)?,
            bid_policy: self.market_bid_policy.into(),
            trade_within: trades.confirm_within + trades.ship_within + KEPT_LONGER,
        })
    }
}

fn within(name: &str, number: u32, max: u32) -> anyhow::Result<u32> {
    ensure!((1..=max).contains(&number), "{name} must be 1 to {max}");
    Ok(number)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        markets: MarketSettings,
    }

    fn policy(words: &[&str]) -> Option<BidPolicy> {
        let line = Line::try_parse_from([&["souk"][..], words].concat()).ok()?;
        Some(line.markets.rules(&TradeRules::default()).unwrap().bid_policy)
    }

    #[test]
    fn bids_are_held_for_only_where_somebody_says_so() {
        assert_eq!(policy(&[]), Some(BidPolicy::VerifyOnly));
        assert_eq!(policy(&["--market-bid-policy", "verify-only"]), Some(BidPolicy::VerifyOnly));
        assert_eq!(policy(&["--market-bid-policy", "full-hold"]), Some(BidPolicy::FullHold));
        assert_eq!(policy(&["--market-bid-policy", "half-hold"]), None);
    }
}
