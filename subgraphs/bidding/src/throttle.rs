//! How many commands somebody may send: per account, by GCRA, before the journal. A refusal in the journal would let a flood
//! fill it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, Denied};
use contract::UserId;
use governor::clock::{Clock as Ticking, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::rules::Rules;

/// Accounts after which those that have been still for long are forgotten.
const ACCOUNTS_MAX: usize = 10_000;

type Limiter = RateLimiter<UserId, DefaultKeyedStateStore<UserId>, Ticks, NoOpMiddleware<Nanos>>;

/// Counts commands. In memory: a restart forgives.
#[derive(Clone)]
pub struct Throttle {
    limiter: Arc<Limiter>,
    ticks: Ticks,
}

impl Throttle {
    /// Nobody is allowed nothing: a rate of 0 is 1.
    pub fn new(clock: Clock, rules: &Rules) -> Self {
        let ticks = Ticks(clock);
        let at_least_one = |rate| NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rules.commands_per_second))
            .allow_burst(at_least_one(rules.commands_at_once));
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), ticks.clone());
        Self { limiter: Arc::new(limiter), ticks }
    }

    /// Counts a command of `user`.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time to wait.
    pub fn command(&self, user: UserId) -> Result<(), Denied> {
        if self.limiter.len() > ACCOUNTS_MAX {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&user).map_err(|not_until| {
            let wait = Duration::from(not_until.earliest_possible().duration_since(self.ticks.now()));
            Denied::RateLimited { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
        })
    }
}

/// The process's clock, as the limiter reads it.
#[derive(Clone)]
struct Ticks(Clock);

impl Ticking for Ticks {
    type Instant = Nanos;

    /// Nanoseconds since 1970, which fit until 2554.
    fn now(&self) -> Nanos {
        let nanos = self.0.now().timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok());
        Nanos::new(nanos.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn an_account_sends_two_hundred_at_once_and_then_a_hundred_a_second() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let throttle = Throttle::new(clock.clone(), &Rules::default());
        let (ada, bob) = (UserId::new(), UserId::new());
        for _ in 0..200 {
            assert_eq!(throttle.command(ada), Ok(()));
        }
        assert_eq!(throttle.command(ada), Err(Denied::RateLimited { retry_after_ms: 10 }));
        assert_eq!(throttle.command(bob), Ok(()));
        clock.advance(TimeDelta::milliseconds(10));
        assert_eq!(throttle.command(ada), Ok(()));
        assert!(throttle.command(ada).is_err());
    }
}
