//! What happens by itself after a while, when the clock gets there.

use crate::world::World;
use crate::{dispute, payment_intent, payout, refund};

/// Something that is due at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// A hold that nobody captured.
    ExpireHold(String),
    /// The bank took a refund that was pending.
    SettleRefund(String),
    /// The bank gave a refund back.
    FailRefund(String),
    /// A payout arrived.
    PayPayout(String),
    /// The buyer went to their bank.
    OpenDispute { charge: String, reason: &'static str, inquiry: bool },
    /// The bank decided a dispute.
    DecideDispute { id: String, won: bool },
}

impl World {
    /// Lets happen what is due, in the order of the times.
    pub fn tick(&mut self) {
        let now = self.now();
        let (mut due, rest) =
            std::mem::take(&mut self.later).into_iter().partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.later = rest;
        due.sort_by_key(|(at, _)| *at);
        for (_, later) in due {
            match later {
                Later::ExpireHold(id) => payment_intent::expire(self, &id),
                Later::SettleRefund(id) => refund::settle(self, &id),
                Later::FailRefund(id) => refund::fail(self, &id),
                Later::PayPayout(id) => payout::pay(self, &id),
                Later::OpenDispute { charge, reason, inquiry } => {
                    dispute::open(self, &charge, None, reason, inquiry);
                }
                Later::DecideDispute { id, won } => dispute::decide(self, &id, won),
            }
        }
    }
}
