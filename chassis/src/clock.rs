//! The time, as every operation is told it: one clock for a process, a hand-set one for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// Stands still until moved; microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `start` until [`advance`](Self::advance) moves it.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    /// Now, cut to microseconds: what both databases keep.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where time enters")]
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Manual(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst))
                .expect("a manual clock starts at a valid time and moves by hand"),
        }
    }

    /// Moves a manual clock. The system's clock moves by itself.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
