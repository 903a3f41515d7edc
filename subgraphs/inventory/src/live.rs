//! The live feed of stock: what this process commits at once, what others commit on the same database within a moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::live::Latest;
use chassis::{Env, Failure};
use contract::{Envelope, Event, OfferId, VariantId};
use futures::{Stream, StreamExt, stream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;
use tracing::warn;

use crate::stock::{Level, read};

/// How often watched levels are read again: another process may have written to the same database.
const POLL: Duration = Duration::from_secs(2);
/// Watched ids read with one statement.
const IDS_MAX: usize = 5_000;

/// What somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Offer(OfferId),
    /// Every offer of the variant, those included that are made later.
    Variant(VariantId),
}

/// Everything a key stands for, as far as it changed while somebody watched.
type News = Arc<[Level]>;

/// Hands the latest levels to subscribers. Starts working when the first of them comes.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    env: Env,
    latest: Latest<Key, News>,
    /// How many subscribers watch a key.
    watched: Mutex<HashMap<Key, usize>>,
    started: AtomicBool,
}

impl Feed {
    pub fn new(env: Env) -> Self {
        Self(Arc::new(Inner {
            env,
            latest: Latest::default(),
            watched: Mutex::default(),
            started: AtomicBool::new(false),
        }))
    }

    /// The current level of each offer behind `keys`, then each newer one. A slow reader misses levels in between, never
    /// the last; sequences of an offer only rise.
    pub async fn watch(&self, keys: Vec<Key>) -> Result<impl Stream<Item = Level> + Send + use<>, Failure> {
        self.start();
        let watching = Watching::begin(self.0.clone(), keys.clone());
        // Watch first, read second: a change in between comes twice rather than not at all.
        let news = self.0.latest.watch(keys.clone());
        let now = self.0.read(&keys).await?;
        let levels = stream::iter(now).chain(news.flat_map(|news| stream::iter(news.to_vec())));
        let mut told: HashMap<OfferId, i64> = HashMap::new();
        Ok(levels.filter_map(move |level| {
            _ = &watching;
            let is_news = told.get(&level.offer_id).is_none_or(|sequence| *sequence < level.sequence);
            if is_news {
                told.insert(level.offer_id, level.sequence);
            }
            std::future::ready(is_news.then_some(level))
        }))
    }

    fn start(&self) {
        if !self.0.started.swap(true, Ordering::SeqCst) {
            let said = self.0.env.db.said();
            self.0.env.tasks.spawn(Desk::default().run(self.0.clone(), said));
        }
    }
}

/// Counts a subscriber in, and out again when it is dropped.
struct Watching {
    inner: Arc<Inner>,
    keys: Vec<Key>,
}

impl Watching {
    fn begin(inner: Arc<Inner>, keys: Vec<Key>) -> Self {
        let mut watched = inner.watched.lock().expect("no code panics while it holds this lock");
        for key in &keys {
            *watched.entry(*key).or_default() += 1;
        }
        drop(watched);
        Self { inner, keys }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watched = self.inner.watched.lock().expect("no code panics while it holds this lock");
        for key in &self.keys {
            if let Some(watchers) = watched.get_mut(key) {
                *watchers -= 1;
                if *watchers == 0 {
                    watched.remove(key);
                }
            }
        }
    }
}

impl Inner {
    fn is_watched(&self, key: Key) -> bool {
        self.watched.lock().expect("no code panics while it holds this lock").contains_key(&key)
    }

    fn watched(&self) -> Vec<Key> {
        self.watched.lock().expect("no code panics while it holds this lock").keys().copied().collect()
    }

    async fn read(&self, keys: &[Key]) -> Result<Vec<Level>, Failure> {
        let mut levels = Vec::new();
        for some in keys.chunks(IDS_MAX) {
            let offers: Vec<OfferId> = some.iter().filter_map(|key| key.offer()).collect();
            let variants: Vec<VariantId> = some.iter().filter_map(|key| key.variant()).collect();
            if !offers.is_empty() {
                levels.extend(read::by_offers(self.env.db.read(), offers).await?);
            }
            if !variants.is_empty() {
                levels.extend(read::by_variants(self.env.db.read(), variants).await?);
            }
        }
        Ok(levels.into_iter().map(|owned| owned.level).collect())
    }
}

impl Key {
    fn offer(&self) -> Option<OfferId> {
        match self {
            Self::Offer(id) => Some(*id),
            Self::Variant(_) => None,
        }
    }

    fn variant(&self) -> Option<VariantId> {
        match self {
            Self::Variant(id) => Some(*id),
            Self::Offer(_) => None,
        }
    }
}

/// The newest levels that were published, of offers that somebody watches.
#[derive(Default)]
struct Desk {
    newest: HashMap<OfferId, i64>,
    variants: HashMap<VariantId, BTreeMap<OfferId, Level>>,
}

impl Desk {
    async fn run(mut self, inner: Arc<Inner>, mut said: broadcast::Receiver<Arc<Envelope>>) {
        let stop = inner.env.tasks.stopping().clone();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = poll.tick() => self.read_again(&inner).await,
                event = said.recv() => match event {
                    Ok(event) => self.hear(&inner, &event),
                    // More was said than the channel holds: the tables know what was missed.
                    Err(RecvError::Lagged(_)) => self.read_again(&inner).await,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    fn hear(&mut self, inner: &Inner, event: &Envelope) {
        if let Event::StockChanged(level) = &event.event
            && (inner.is_watched(Key::Offer(level.offer_id))
                || inner.is_watched(Key::Variant(level.variant_id)))
        {
            self.publish(inner, level.clone());
        }
    }

    async fn read_again(&mut self, inner: &Inner) {
        let keys = inner.watched();
        self.forget(inner);
        match inner.read(&keys).await {
            Ok(levels) => levels.into_iter().for_each(|level| self.publish(inner, level)),
            Err(failure) => warn!(error = %failure, "The live feed of stock will read again"),
        }
    }

    /// Publishes a level unless a newer one was.
    fn publish(&mut self, inner: &Inner, level: Level) {
        if self.newest.get(&level.offer_id).is_some_and(|newest| *newest >= level.sequence) {
            return;
        }
        self.newest.insert(level.offer_id, level.sequence);
        inner.latest.publish(&Key::Offer(level.offer_id), &News::from([level.clone()]));
        let variant = level.variant_id;
        if inner.is_watched(Key::Variant(variant)) {
            let offers = self.variants.entry(variant).or_default();
            offers.insert(level.offer_id, level);
            inner.latest.publish(&Key::Variant(variant), &offers.values().cloned().collect());
        }
    }

    /// Forgets what nobody watches any more.
    fn forget(&mut self, inner: &Inner) {
        self.variants.retain(|variant, _| inner.is_watched(Key::Variant(*variant)));
        let variants = &self.variants;
        self.newest.retain(|offer, _| {
            inner.is_watched(Key::Offer(*offer)) || variants.values().any(|offers| offers.contains_key(offer))
        });
    }
}
