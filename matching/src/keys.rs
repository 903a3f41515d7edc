//! Idempotency: what came of a key, remembered for as long as the limits say.

use crate::codec::Codec;
use crate::hash::{Map, digest_of};
use crate::{AccountId, Action, Answer, Key, Refusal, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub ts: Timestamp,
    pub fingerprint: u64,
    pub answer: Result<Answer, Refusal>,
}

/// Two generations: the older one goes as a whole, and no key has a timer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    young: Map<(AccountId, Key), Kept>,
    old: Map<(AccountId, Key), Kept>,
    young_since: Timestamp,
    scratch: Vec<u8>,
}

impl Keys {
    /// What tells a command from another with the same key.
    pub fn fingerprint(&mut self, action: &Action) -> u64 {
        self.scratch.clear();
        action.encode(&mut self.scratch);
        digest_of(&self.scratch)
    }

    pub fn find(&self, account: AccountId, key: Key, now: Timestamp, retention_us: i64) -> Option<Kept> {
        let kept = self.young.get(&(account, key)).or_else(|| self.old.get(&(account, key)))?;
        is_fresh(kept, now, retention_us).then_some(*kept)
    }

    pub fn keep(&mut self, account: AccountId, key: Key, kept: Kept, retention_us: i64) {
        self.turn(kept.ts, retention_us);
        self.young.insert((account, key), kept);
    }

    /// Forgets now what may be forgotten.
    pub fn purge(&mut self, now: Timestamp, retention_us: i64) {
        self.young.retain(|_, kept| is_fresh(kept, now, retention_us));
        self.old.retain(|_, kept| is_fresh(kept, now, retention_us));
    }

    /// Everything in `old` is older than `young_since`: when that is past its time, so is all of it.
    fn turn(&mut self, now: Timestamp, retention_us: i64) {
        if now.saturating_sub(self.young_since) >= retention_us {
            self.old = std::mem::take(&mut self.young);
            self.young_since = now;
        }
    }

    /// What is still remembered, in order.
    pub fn fresh(&self, now: Timestamp, retention_us: i64) -> Vec<((AccountId, Key), Kept)> {
        let old = self.old.iter().filter(|(key, _)| !self.young.contains_key(key));
        let all = self.young.iter().chain(old).filter(|(_, kept)| is_fresh(kept, now, retention_us));
        let mut fresh: Vec<_> = all.map(|(key, kept)| (*key, *kept)).collect();
        fresh.sort_unstable_by_key(|(key, _)| *key);
        fresh
    }

    pub fn bytes(&self) -> usize {
        (self.young.capacity() + self.old.capacity()) * (size_of::<((AccountId, Key), Kept)>() + 1)
    }
}

fn is_fresh(kept: &Kept, now: Timestamp, retention_us: i64) -> bool {
    now.saturating_sub(kept.ts) < retention_us
}
