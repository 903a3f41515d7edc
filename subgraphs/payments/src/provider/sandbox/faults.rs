//! How the sandbox misbehaves: drawn from a seed, the key and how often it came, so that a run can be repeated.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// How often, out of a thousand calls, something goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    pub seed: u64,
    /// The thing is done, and the answer is lost.
    pub dropped: u32,
    /// As `dropped`, after [`hang_ms`](Self::hang_ms).
    pub hangs: u32,
    pub hang_ms: u64,
    /// A 500 that the key keeps; the thing is done.
    pub kept_done: u32,
    /// A 500 that the key keeps; the thing is not done.
    pub kept_undone: u32,
    /// A 503: nothing is done, and the key may be used again.
    pub lost: u32,
    /// A 429.
    pub rate_limited: u32,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Dropped,
    Hangs,
    KeptDone,
    KeptUndone,
    Lost,
    RateLimited,
}

impl Faults {
    /// What goes wrong the `seen`th time that `key` comes.
    pub fn draw(&self, key: &str, seen: i32) -> Option<Fault> {
        let text = format!("{} {key} {seen}", self.seed);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let [a, b, c, d, ..] = hash.as_ref() else { return None };
        let mut dice = u32::from_be_bytes([*a, *b, *c, *d]) % 1_000;
        let sides = [
            (self.dropped, Fault::Dropped),
            (self.hangs, Fault::Hangs),
            (self.kept_done, Fault::KeptDone),
            (self.kept_undone, Fault::KeptUndone),
            (self.lost, Fault::Lost),
            (self.rate_limited, Fault::RateLimited),
        ];
        for (many, fault) in sides {
            if dice < many {
                return Some(fault);
            }
            dice -= many;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_faults_as_often_as_it_says() {
        let faults = Faults { seed: 7, dropped: 100, kept_undone: 100, ..Faults::default() };
        let draw = || (0..10_000).map(|seen| faults.draw("key", seen)).collect::<Vec<_>>();
        let drawn = draw();
        assert_eq!(drawn, draw());
        let many = drawn.iter().flatten().count();
        assert!((1_800..2_200).contains(&many), "{many} of 10,000");
        assert!((0..10_000).all(|seen| Faults::default().draw("key", seen).is_none()));
    }
}
