//! Idempotency: what came of a key, remembered for as long as the limits say.

use crate::hash::hash_of_ids;
use crate::index::Index;
use crate::pages::Pages;
use crate::{AccountId, Answer, Key, Refusal, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub ts: Timestamp,
    pub fingerprint: u64,
    pub answer: Result<Answer, Refusal>,
}

/// A key and what came of it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    of: (AccountId, Key),
    kept: Kept,
}

#[derive(Clone, Debug, Default)]
struct Generation {
    entries: Pages<Entry>,
    index: Index,
}

impl Generation {
    fn of(entries: Pages<Entry>) -> Self {
        let places: Vec<(u32, u32)> = entries.iter().map(|entry| hash_of_key(entry.of)).zip(0..).collect();
        let index = Index::of(places.into_iter());
        Self { entries, index }
    }

    fn find(&self, hash: u32, of: (AccountId, Key)) -> Option<&Kept> {
        let at = self.index.find(hash, |at| self.entries.get(at).of == of)?;
        Some(&self.entries.get(at).kept)
    }

    fn insert(&mut self, hash: u32, entry: Entry) {
        self.index.insert(hash, self.entries.len() as u32);
        self.entries.push(entry);
    }

    fn purge(&mut self, now: Timestamp, retention_us: i64) {
        let fresh = self.entries.iter().filter(|entry| is_fresh(&entry.kept, now, retention_us));
        *self = Self::of(fresh.copied().collect());
    }

    fn bytes(&self) -> usize {
        self.entries.bytes() + self.index.bytes()
    }
}

/// Two generations: the older one goes as a whole, and no key has a timer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    young: Generation,
    old: Generation,
    young_since: Timestamp,
}

impl Keys {
    pub fn find(&self, account: AccountId, key: Key, now: Timestamp, retention_us: i64) -> Option<Kept> {
        let of = (account, key);
        let hash = hash_of_key(of);
        let kept = self.young.find(hash, of).or_else(|| self.old.find(hash, of))?;
        is_fresh(kept, now, retention_us).then_some(*kept)
    }

    /// Keys of both generations.
    pub fn len(&self) -> usize {
        self.young.entries.len() + self.old.entries.len()
    }

    /// Reads what [`find`](Self::find) reads first.
    pub fn look(&self, account: AccountId, key: Key) {
        let hash = hash_of_key((account, key));
        self.young.index.look(hash);
        self.old.index.look(hash);
    }

    /// Keeps what came of a key that [`find`](Self::find) does not know.
    pub fn keep(&mut self, account: AccountId, key: Key, kept: Kept, retention_us: i64) {
        self.turn(kept.ts, retention_us);
        let of = (account, key);
        self.young.insert(hash_of_key(of), Entry { of, kept });
    }

    /// Forgets now what may be forgotten.
    pub fn purge(&mut self, now: Timestamp, retention_us: i64) {
        self.young.purge(now, retention_us);
        self.old.purge(now, retention_us);
    }

    /// Everything in `old` is older than `young_since`: when that is past its time, so is all of it. So is whatever of `young`
    /// is past its time: no key is in one generation twice.
    fn turn(&mut self, now: Timestamp, retention_us: i64) {
        if now.saturating_sub(self.young_since) >= retention_us {
            self.old = std::mem::take(&mut self.young);
            self.young_since = now;
        }
    }

    /// What is still remembered, in order.
    pub fn fresh(&self, now: Timestamp, retention_us: i64) -> Vec<((AccountId, Key), Kept)> {
        let all = self.young.entries.iter().chain(self.old.entries.iter());
        let fresh = all.filter(|entry| is_fresh(&entry.kept, now, retention_us));
        let mut fresh: Vec<_> = fresh.map(|entry| (entry.of, entry.kept)).collect();
        fresh.sort_unstable_by_key(|(key, _)| *key);
        fresh
    }

    pub fn bytes(&self) -> usize {
        self.young.bytes() + self.old.bytes()
    }
}

fn hash_of_key((account, key): (AccountId, Key)) -> u32 {
    hash_of_ids(account.0, key.0)
}

fn is_fresh(kept: &Kept, now: Timestamp, retention_us: i64) -> bool {
    now.saturating_sub(kept.ts) < retention_us
}
