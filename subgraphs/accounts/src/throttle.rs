//! How often somebody may try: per account and per client address, by GCRA.

use std::num::NonZeroU32;
use std::time::Duration;

use chassis::graph::ClientAddress;
use chassis::{Clock, Denied};
use governor::clock::{Clock as Ticking, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// Tries for one account at once, and how long until there is one more.
const ACCOUNT_BURST: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
const ACCOUNT_REFILL: Duration = Duration::from_secs(20);
/// Tries from one address at once, whatever the account: offices and phone networks share one.
const ADDRESS_BURST: NonZeroU32 = NonZeroU32::new(300).expect("not zero");
const ADDRESS_REFILL: Duration = Duration::from_secs(1);

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, Ticks, NoOpMiddleware<Nanos>>;

/// Counts tries that cost a password hash. In memory: a restart forgives.
pub struct Throttle {
    accounts: Limiter<Vec<u8>>,
    addresses: Limiter<Option<ClientAddress>>,
    ticks: Ticks,
}

impl Throttle {
    pub fn new(clock: Clock) -> Self {
        let ticks = Ticks(clock);
        Self {
            accounts: limiter(ACCOUNT_BURST, ACCOUNT_REFILL, &ticks),
            addresses: limiter(ADDRESS_BURST, ADDRESS_REFILL, &ticks),
            ticks,
        }
    }

    /// Counts a try from `address`. Requests of unknown origin share one budget.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time to wait.
    pub fn address(&self, address: Option<&ClientAddress>) -> Result<(), Denied> {
        check(&self.addresses, &address.copied(), &self.ticks)
    }

    /// Counts a try for the account with this e-mail hash, whether or not it exists.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the time to wait.
    pub fn account(&self, email_hash: &[u8]) -> Result<(), Denied> {
        check(&self.accounts, &email_hash.to_vec(), &self.ticks)
    }

    /// Forgets those who have not tried for long.
    pub fn sweep(&self) {
        self.accounts.retain_recent();
        self.accounts.shrink_to_fit();
        self.addresses.retain_recent();
        self.addresses.shrink_to_fit();
    }
}

fn limiter<K: std::hash::Hash + Eq + Clone>(
    burst: NonZeroU32,
    refill: Duration,
    ticks: &Ticks,
) -> Limiter<K> {
    let quota = Quota::with_period(refill).expect("a refill takes time").allow_burst(burst);
    RateLimiter::new(quota, DefaultKeyedStateStore::default(), ticks.clone())
}

fn check<K: std::hash::Hash + Eq + Clone>(
    limiter: &Limiter<K>,
    key: &K,
    ticks: &Ticks,
) -> Result<(), Denied> {
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.earliest_possible().duration_since(ticks.now());
        let wait = Duration::from(wait);
        Denied::RateLimited { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
    })
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
    fn an_account_is_tried_twenty_times_and_then_every_twenty_seconds() {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let throttle = Throttle::new(clock.clone());
        for _ in 0..20 {
            assert_eq!(throttle.account(b"ada"), Ok(()));
        }
        assert_eq!(throttle.account(b"ada"), Err(Denied::RateLimited { retry_after_ms: 20_000 }));
        assert_eq!(throttle.account(b"bob"), Ok(()));
        clock.advance(TimeDelta::seconds(20));
        throttle.sweep();
        assert_eq!(throttle.account(b"ada"), Ok(()));
        assert_eq!(throttle.account(b"ada"), Err(Denied::RateLimited { retry_after_ms: 20_000 }));
    }
}
