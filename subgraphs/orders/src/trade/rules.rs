//! How long everybody has, and what counts against whom: settings of the marketplace.

use chrono::TimeDelta;

/// The rules of trades. A trade waits by those that hold when it comes to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A buyer, to confirm with their bank.
    pub confirm_within: TimeDelta,
    /// A seller, to send the piece to the authentication centre.
    pub ship_within: TimeDelta,
    /// A parcel, to reach the centre.
    pub arrive_within: TimeDelta,
    /// When a parcel to a buyer counts as delivered if nobody says so.
    pub delivered_after: TimeDelta,
    /// An authenticator, to look at what they have claimed.
    pub claim_for: TimeDelta,
    /// How long a strike counts.
    pub strike_counts_for: TimeDelta,
    /// Strikes that count with which somebody is still in good standing.
    pub strikes_allowed: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            confirm_within: TimeDelta::hours(1),
            ship_within: TimeDelta::days(3),
            arrive_within: TimeDelta::days(14),
            delivered_after: TimeDelta::days(14),
            claim_for: TimeDelta::minutes(30),
            strike_counts_for: TimeDelta::days(180),
            strikes_allowed: 2,
        }
    }
}
