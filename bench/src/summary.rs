//! Times in a row, summed up.

use std::time::Duration;

/// What many measured times say together.
pub struct Summary {
    sorted: Vec<Duration>,
}

impl Summary {
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { sorted: times }
    }

    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time that `percent` of all did not exceed.
    pub fn percentile(&self, percent: f64) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        let place = (last as f64 * percent / 100.0).round() as usize;
        self.sorted.get(place).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1_000.0;
        write!(f, "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", ms(50.0), ms(99.0), ms(100.0))
    }
}
