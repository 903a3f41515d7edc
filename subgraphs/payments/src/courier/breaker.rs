//! One circuit breaker for each provider: after failures in a row calls wait, then a few try. Kept in memory only: a
//! process that starts knows nothing and tries.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// Failures in a row that open it.
const FAILURES_MAX: u32 = 5;
/// How long it stays open.
const OPEN: TimeDelta = TimeDelta::seconds(60);
/// Calls that may try when that time is over.
const PROBES_MAX: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaker {
    Closed { failures: u32 },
    Open { until: DateTime<Utc> },
    HalfOpen { probes: u32 },
}

/// The breakers of all providers.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<String, Breaker>>);

impl Breakers {
    fn with<T>(&self, provider: &str, change: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut all = self.0.lock().expect("no code panics while it holds this lock");
        change(all.entry(provider.to_owned()).or_insert(Breaker::Closed { failures: 0 }))
    }

    /// `Err`: not before that time.
    pub fn may_call(&self, provider: &str, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        self.with(provider, |breaker| match *breaker {
            Breaker::Closed { .. } => Ok(()),
            Breaker::Open { until } if now < until => Err(until),
            Breaker::Open { .. } => {
                *breaker = Breaker::HalfOpen { probes: 1 };
                Ok(())
            }
            Breaker::HalfOpen { probes } if probes < PROBES_MAX => {
                *breaker = Breaker::HalfOpen { probes: probes + 1 };
                Ok(())
            }
            // The probes have not come back: look again soon.
            Breaker::HalfOpen { .. } => Err(now + TimeDelta::seconds(1)),
        })
    }

    /// What a call came to: whether the provider answered at all. Whether that opened the breaker.
    pub fn called(&self, provider: &str, now: DateTime<Utc>, answered: bool) -> bool {
        self.with(provider, |breaker| {
            let before = *breaker;
            *breaker = match (before, answered) {
                (_, true) => Breaker::Closed { failures: 0 },
                (Breaker::Closed { failures }, false) if failures + 1 < FAILURES_MAX => {
                    Breaker::Closed { failures: failures + 1 }
                }
                (Breaker::Open { until }, false) => Breaker::Open { until },
                (_, false) => Breaker::Open { until: now + OPEN },
            };
            matches!(*breaker, Breaker::Open { .. }) && !matches!(before, Breaker::Open { .. })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_for_a_minute_and_three_calls_try_then() {
        let breakers = Breakers::default();
        let mut now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).expect("a valid time");
        for _ in 0..4 {
            assert!(!breakers.called("p", now, false));
        }
        breakers.called("p", now, true);
        for failure in 1..=5 {
            assert_eq!(breakers.may_call("p", now), Ok(()));
            assert_eq!(breakers.called("p", now, false), failure == 5);
        }
        assert_eq!(breakers.may_call("p", now), Err(now + OPEN));
        assert_eq!(breakers.may_call("other", now), Ok(()), "others are not held up");
        now += OPEN;
        assert_eq!([0; 4].map(|_| breakers.may_call("p", now).is_ok()), [true, true, true, false]);
        breakers.called("p", now, false);
        assert_eq!(breakers.may_call("p", now), Err(now + OPEN));
        now += OPEN;
        assert_eq!(breakers.may_call("p", now), Ok(()));
        breakers.called("p", now, true);
        assert_eq!([0; 9].map(|_| breakers.may_call("p", now).is_ok()), [true; 9]);
    }
}
