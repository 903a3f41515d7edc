//! How long everybody in a trade of the market has, and what counts against whom.

use anyhow::ensure;
use chrono::TimeDelta;
use clap::Args;
use orders::trade::rules::Rules;

/// The longest of these times.
const DAYS_MAX: u32 = 3_650;

/// The rules of trades.
#[derive(Clone, Debug, Args)]
pub struct TradeSettings {
    /// Minutes that a buyer has to confirm a trade's payment with their bank.
    #[arg(long, env = "SOUK_TRADE_CONFIRM_MINUTES", default_value_t = 60)]
    pub trade_confirm_minutes: u32,
    /// Days that a seller has to send a piece to the authentication centre.
    #[arg(long, env = "SOUK_TRADE_SHIP_DAYS", default_value_t = 3)]
    pub trade_ship_days: u32,
    /// Days that a parcel may take to the authentication centre.
    #[arg(long, env = "SOUK_TRADE_ARRIVE_DAYS", default_value_t = 14)]
    pub trade_arrive_days: u32,
    /// Days after which a parcel to a buyer counts as delivered if nobody says so.
    #[arg(long, env = "SOUK_TRADE_DELIVERED_DAYS", default_value_t = 14)]
    pub trade_delivered_days: u32,
    /// Minutes that an authenticator has for what they have claimed.
    #[arg(long, env = "SOUK_TRADE_CLAIM_MINUTES", default_value_t = 30)]
    pub trade_claim_minutes: u32,
    /// Days that a strike counts.
    #[arg(long, env = "SOUK_TRADE_STRIKE_DAYS", default_value_t = 180)]
    pub trade_strike_days: u32,
    /// Strikes with which somebody is in good standing still.
    #[arg(long, env = "SOUK_TRADE_STRIKES_ALLOWED", default_value_t = 2)]
    pub trade_strikes_allowed: u32,
}

impl TradeSettings {
    /// The rules.
    ///
    /// # Errors
    /// A time is none, or longer than ten years.
    pub fn rules(&self) -> anyhow::Result<Rules> {
        Ok(Rules {
            confirm_within: minutes("--trade-confirm-minutes", self.trade_confirm_minutes)?,
            ship_within: days("--trade-ship-days", self.trade_ship_days)?,
            arrive_within: days("--trade-arrive-days", self.trade_arrive_days)?,
            delivered_after: days("--trade-delivered-days", self.trade_delivered_days)?,
            claim_for: minutes("--trade-claim-minutes", self.trade_claim_minutes)?,
            strike_counts_for: days("--trade-strike-days", self.trade_strike_days)?,
            strikes_allowed: self.trade_strikes_allowed,
        })
    }
}

fn days(name: &str, days: u32) -> anyhow::Result<TimeDelta> {
    ensure!((1..=DAYS_MAX).contains(&days), "{name} must be 1 to {DAYS_MAX}");
    Ok(TimeDelta::days(days.into()))
}

fn minutes(name: &str, minutes: u32) -> anyhow::Result<TimeDelta> {
    let minutes_max = DAYS_MAX * 24 * 60;
    ensure!((1..=minutes_max).contains(&minutes), "{name} must be 1 to {minutes_max}");
    Ok(TimeDelta::minutes(minutes.into()))
}
