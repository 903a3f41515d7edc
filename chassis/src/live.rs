//! Live values for subscriptions: a slow client gets the latest value of each key, never an endless queue.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, Weak};

use futures::Stream;
use tokio::sync::Notify;

/// Watched keys after which those that nobody watches any more are looked for; from then on at twice what was left.
const CLEAR_AT: usize = 1_024;

/// Hands the latest value of each key to whoever watches it.
pub struct Latest<K, V> {
    watchers: Mutex<Watchers<K, V>>,
}

/// Who watches a key. Watchers that left are cleared away at the next event of theirs, or when there are many.
struct Watchers<K, V> {
    by_key: HashMap<K, Vec<Weak<Watcher<K, V>>>>,
    clear_at: usize,
}

/// What one subscriber has not yet seen: at most one value per key it watches.
struct Watcher<K, V> {
    pending: Mutex<HashMap<K, V>>,
    news: Notify,
}

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self { watchers: Mutex::new(Watchers { by_key: HashMap::new(), clear_at: CLEAR_AT }) }
    }
}

impl<K, V> Latest<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Replaces what watchers of `key` have not yet seen.
    pub fn publish(&self, key: &K, value: &V) {
        let mut watchers = self.watchers.lock().expect("no code panics while it holds this lock");
        let Some(of_key) = watchers.by_key.get_mut(key) else {
            return;
        };
        of_key.retain(|watcher| {
            let Some(watcher) = watcher.upgrade() else {
                return false;
            };
            watcher
                .pending
                .lock()
                .expect("no code panics while it holds this lock")
                .insert(key.clone(), value.clone());
            watcher.news.notify_one();
            true
        });
        if of_key.is_empty() {
            watchers.by_key.remove(key);
        }
    }

    /// The values of `keys` from now on; each poll gives the newest of a key, skipping those that a slow reader missed.
    pub fn watch(&self, keys: Vec<K>) -> impl Stream<Item = V> + Send + use<K, V> {
        let watcher = Arc::new(Watcher { pending: Mutex::default(), news: Notify::new() });
        let mut watchers = self.watchers.lock().expect("no code panics while it holds this lock");
        for key in keys {
            let of_key = watchers.by_key.entry(key).or_default();
            of_key.retain(|watcher| watcher.strong_count() > 0);
            of_key.push(Arc::downgrade(&watcher));
        }
        watchers.clear();
        drop(watchers);
        futures::stream::unfold(watcher, |watcher| async move {
            let value = watcher.next().await;
            Some((value, watcher))
        })
    }

    /// Keys somebody watches, for metrics.
    pub fn watched(&self) -> usize {
        self.watchers.lock().expect("no code panics while it holds this lock").by_key.len()
    }
}

impl<K, V> Watchers<K, V> {
    /// Forgets keys that were watched for an event that never came.
    fn clear(&mut self) {
        if self.by_key.len() >= self.clear_at {
            self.by_key.retain(|_, of_key| of_key.iter().any(|watcher| watcher.strong_count() > 0));
            self.clear_at = CLEAR_AT.max(2 * self.by_key.len());
        }
    }
}

impl<K: Clone + Eq + Hash, V> Watcher<K, V> {
    async fn next(&self) -> V {
        loop {
            if let Some(value) = self.take() {
                return value;
            }
            self.news.notified().await;
        }
    }

    fn take(&self) -> Option<V> {
        let mut pending = self.pending.lock().expect("no code panics while it holds this lock");
        let key = pending.keys().next()?.clone();
        pending.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn a_slow_reader_gets_the_latest_value_of_each_key_once() {
        let latest = Latest::default();
        let mut feed = Box::pin(latest.watch(vec!["a", "b"]));
        for n in 0..1_000 {
            latest.publish(&"a", &("a", n));
        }
        latest.publish(&"b", &("b", 7));
        latest.publish(&"c", &("c", 0));
        let mut seen =
            [feed.next().now_or_never(), feed.next().now_or_never()].map(|value| value.flatten().unwrap());
        seen.sort_unstable();
        assert_eq!(seen, [("a", 999), ("b", 7)]);
        assert!(feed.next().now_or_never().is_none());
    }

    #[test]
    fn a_reader_that_left_is_forgotten() {
        let latest = Latest::default();
        drop(latest.watch(vec!["a"]));
        latest.publish(&"a", &1);
        assert_eq!(latest.watched(), 0);
    }

    #[test]
    fn readers_of_what_never_comes_are_forgotten_when_they_are_many() {
        let latest: Latest<usize, ()> = Latest::default();
        let stays = latest.watch(vec![0]);
        (1..10 * CLEAR_AT).for_each(|key| drop(latest.watch(vec![key])));
        assert!(latest.watched() < CLEAR_AT);
        latest.publish(&0, &());
        assert_eq!(Box::pin(stays).next().now_or_never().flatten(), Some(()));
    }
}
