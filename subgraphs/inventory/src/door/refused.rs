//! The record of refused batches: all are counted, few are written, so that nobody can flood the audit trail.

use std::collections::HashMap;
use std::sync::Mutex;

use chassis::{Env, audit, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::FeedId;
use serde_json::json;
use tracing::warn;

/// One entry in this time for each feed and reason. Feeds that are not known are one.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// Feeds and reasons remembered at once.
const REMEMBERED_MAX: usize = 10_000;

/// What was written last, and how many were not written since.
#[derive(Default)]
pub struct Refused(Mutex<HashMap<What, (DateTime<Utc>, u64)>>);

type What = (Option<FeedId>, &'static str);

impl Refused {
    /// Counts a refusal, and writes it unless one like it was written a moment ago.
    pub async fn record(&self, env: &Env, feed: Option<FeedId>, reason: &'static str) {
        metrics::counter!("souk_feed_batches_refused_total", "reason" => reason).increment(1);
        let now = env.clock.now();
        let Some(unwritten) = self.due((feed, reason), now) else { return };
        let subject = feed.map_or_else(|| "unknown feed".to_owned(), |feed| feed.to_string());
        let details = json!({ "reason": reason, "unwrittenBefore": unwritten });
        let written = tx::apply(&env.db, async |tx| {
            audit::record(tx, now, &subject, "feed.batch_refused", &subject, details).await
        });
        if let Err(failure) = written.await {
            warn!(error = %failure, "A refused batch of {subject} is not in the audit trail");
        }
    }

    /// `Some`: write it, and how many like it were not written since the last.
    fn due(&self, what: What, now: DateTime<Utc>) -> Option<u64> {
        let mut last = self.0.lock().expect("no code panics while it holds this lock");
        if last.len() >= REMEMBERED_MAX {
            last.retain(|_, (at, _)| now - *at < PAUSE);
        }
        match last.get_mut(&what) {
            Some((at, unwritten)) if now - *at < PAUSE => {
                *unwritten += 1;
                None
            }
            Some(seen) => Some(std::mem::replace(seen, (now, 0)).1),
            None => {
                last.insert(what, (now, 0));
                Some(0)
            }
        }
    }
}
