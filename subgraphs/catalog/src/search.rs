//! Search: an index of its own in each process, made of the rows of products that changed.
//!
//! Whoever changes what buyers see of a product notes it in the same transaction ([`note`]). Each process reads these notes
//! at its own pace and replaces the documents of the products; the rows decide, the index only finds.

mod alike;
mod answers;
mod ask;
mod change;
mod columns;
mod correct;
mod count;
mod document;
mod facets;
mod facts;
mod fields;
mod find;
mod follow;
mod index;
mod near;
mod offers;
mod read;
mod suggest;
mod text;
mod typo;
mod words;

use std::sync::{Arc, RwLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use chassis::{Env, Failure, Job};
use contract::ProductId;
use futures::FutureExt;
use tokio::sync::{Mutex, Notify, Semaphore, watch};
use tracing::info;

use self::follow::{Follower, Progress, blocking};
use self::index::{Home, Reading};

pub(crate) use self::change::{Changed, note, revisions};
pub(crate) use self::facets::{CategoryCount, PriceRange, ValueCount};
pub(crate) use self::find::{Filter, OfferFilter};
pub(crate) use self::find::{Found, Key, Sort, Wanted};
pub(crate) use self::read::filterable;
pub(crate) use self::suggest::Suggested;
pub(crate) use self::text::{fold, words};
pub(crate) use self::typo::edits;

/// The wait between two looks for changes. Changes of this time share a commit.
const PAUSE: Duration = Duration::from_millis(100);
/// The wait after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How long a search waits for the change that it wants to see.
const PATIENCE: Duration = Duration::from_secs(2);
/// Searches that compute at the same time, for each processor; others wait.
const AT_ONCE: usize = 2;

/// The search of this process.
#[derive(Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    env: Env,
    home: Home,
    /// None: nothing is open.
    follower: Mutex<Option<Follower>>,
    reading: RwLock<Option<Reading>>,
    progress: watch::Sender<Progress>,
    /// Somebody waits for a change.
    wanted: Notify,
    computing: Semaphore,
}

/// How much of the catalog a search sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// The change that was wanted is not seen yet.
    pub(crate) is_stale: bool,
    /// Products are missing, for the index is being built.
    pub(crate) is_rebuilding: bool,
    pub(crate) lag_ms: i64,
}

impl Search {
    pub(crate) fn new(env: &Env) -> Self {
        Self(Arc::new(Inner {
            env: env.clone(),
            home: Home::of(env.data_dir.as_deref()),
            follower: Mutex::default(),
            reading: RwLock::default(),
            progress: watch::Sender::new(Progress::none()),
            wanted: Notify::new(),
            computing: Semaphore::new(AT_ONCE * available_parallelism().map_or(1, usize::from)),
        }))
    }

    /// Follows the changes until the process stops.
    pub(crate) fn job(&self) -> Job {
        let search = self.clone();
        Job { name: "search", pause: RETRY, run: Arc::new(move || search.clone().follow().boxed()) }
    }

    async fn follow(self) -> Result<(), Failure> {
        let stop = self.0.env.tasks.stopping().clone();
        while !stop.is_cancelled() {
            if self.turn().await? {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.0.wanted.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        // Another process may open the files from here on.
        match self.0.follower.lock().await.take() {
            Some(follower) => follower.finish().await,
            None => Ok(()),
        }
    }

    /// One step of following; whether there is more to do at once. A failure closes the index: the next turn opens it.
    async fn turn(&self) -> Result<bool, Failure> {
        let mut place = self.0.follower.lock().await;
        let served = || self.0.home.current();
        let open = place.take().filter(|open| open.index().folder() == served().as_deref());
        let follower = match open {
            Some(follower) => follower,
            None => Follower::open(&self.0.env, &self.0.home).await?,
        };
        let (follower, progress, more) = follower.step().await?;
        *self.0.reading.write().expect("no code panics while it holds this lock") =
            Some(follower.index().reading());
        *place = Some(follower);
        self.0.progress.send_replace(progress);
        metrics::gauge!("souk_search_lag_seconds").set(self.lag_ms() as f64 / 1_000.0);
        Ok(more)
    }

    /// How long ago, at most, the catalog was as searches see it.
    fn lag_ms(&self) -> i64 {
        let as_of = self.0.progress.borrow().as_of;
        as_of.map_or(0, |as_of| (self.0.env.clock.now() - as_of).num_milliseconds().max(0))
    }

    /// Waits a while for the change with this revision.
    pub(crate) async fn freshness(&self, min_revision: Option<i64>) -> Freshness {
        let mut seen = self.0.progress.subscribe();
        let is_stale = match min_revision {
            Some(revision) if !seen.borrow().has(revision) => {
                self.0.wanted.notify_one();
                let wait = seen.wait_for(|progress| progress.has(revision));
                tokio::time::timeout(PATIENCE, wait).await.is_err()
            }
            _ => false,
        };
        let is_rebuilding = self.0.progress.borrow().as_of.is_none();
        Freshness { is_stale, is_rebuilding, lag_ms: self.lag_ms() }
    }

    /// What is found, or nothing while there is no index.
    pub(crate) async fn find(&self, wanted: Wanted) -> Result<Arc<Found>, Failure> {
        if let Some(found) = self.reading().and_then(|reading| known(&reading, &wanted)) {
            took("search", Duration::ZERO);
            return Ok(found);
        }
        // Others may have asked the same meanwhile.
        let find = move |reading: &Reading| match known(reading, &wanted) {
            Some(found) => Ok(found),
            None => find::find(reading, wanted),
        };
        self.compute("search", find).await
    }

    /// Titles that begin like `prefix`, the best known first.
    pub(crate) async fn suggest(&self, prefix: String, first: usize) -> Result<Arc<[Suggested]>, Failure> {
        let asked = (prefix, first);
        let known = |reading: Reading| reading.known.suggested.get(reading.generation(), &asked);
        if let Some(suggested) = self.reading().and_then(known) {
            took("suggest", Duration::ZERO);
            return Ok(suggested);
        }
        self.compute("suggest", move |reading| suggest::suggest(reading, asked.0, first)).await
    }

    /// Products that may have this title, however it is written: to be looked at. None while there is no index.
    pub(crate) async fn alike(&self, title: String) -> Result<Vec<ProductId>, Failure> {
        self.compute("alike", move |reading| alike::alike(reading, &title)).await
    }

    fn reading(&self) -> Option<Reading> {
        self.0.reading.read().expect("no code panics while it holds this lock").clone()
    }

    async fn compute<T: Default + Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Reading) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(reading) = self.reading() else { return Ok(T::default()) };
        let _turn = self.0.computing.acquire().await?;
        let started = Instant::now();
        let done = blocking(&self.0.env, move || Ok(work(&reading)?)).await;
        took(what, started.elapsed());
        done
    }
}

fn known(reading: &Reading, wanted: &Wanted) -> Option<Arc<Found>> {
    reading.known.found.get(reading.generation(), wanted)
}

/// Tells how long it took to compute an answer: no time when it was known.
fn took(what: &'static str, time: Duration) {
    metrics::histogram!("souk_search_seconds", "what" => what).record(time.as_secs_f64());
}

/// What a rebuild did.
#[derive(Clone, Copy, Debug)]
pub struct Rebuilt {
    pub products: u64,
    pub took: Duration,
}

/// Builds a new index beside the one that serves, then swaps them. A running process follows the swap within a moment.
/// Killed at any point, the next call goes on where this one ended.
pub async fn rebuild(env: &Env) -> Result<Rebuilt, Failure> {
    let (started, home) = (Instant::now(), Home::of(env.data_dir.as_deref()));
    let mut follower = Follower::open_next(env, &home).await?;
    let mut more = true;
    while more {
        (follower, _, more) = follower.step().await?;
    }
    let products = follower.index().reading().searcher().num_docs();
    follower.finish_as_one().await?;
    home.swap()?;
    let took = started.elapsed();
    info!("The search index is rebuilt: {products} products in {} ms", took.as_millis());
    Ok(Rebuilt { products, took })
}
