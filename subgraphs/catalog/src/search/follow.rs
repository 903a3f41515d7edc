//! Keeps an index up to date: builds it from the rows that are there, then follows the changes.
//!
//! A document is made anew from the rows of its product, so a change that is seen twice or late does no harm. How far the
//! index has come is part of its commit: killed at any line, it goes on exactly there.

use std::collections::{HashMap, HashSet};

use chassis::{Env, Failure};
use chrono::{DateTime, Utc};
use contract::ProductId;
use tantivy::TantivyDocument;
use tracing::info;
use uuid::Uuid;

use super::change::{self, Change};
use super::document::document;
use super::index::{Home, Index, Mark};
use super::read;

/// Products of one step.
const STEP: u64 = 1_000;

/// How far what searches see has come.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Everything up to this revision is seen.
    reached: i64,
    /// And of what commits beside it, these.
    ahead: HashSet<i64>,
    /// Everything that changed before this is seen. None: the index is still built.
    pub(super) as_of: Option<DateTime<Utc>>,
}

impl Progress {
    /// Nothing is seen yet.
    pub(super) fn none() -> Self {
        Self { reached: i64::MIN, ahead: HashSet::new(), as_of: None }
    }

    /// Whether the change with this revision is seen.
    pub(super) fn has(&self, revision: i64) -> bool {
        self.as_of.is_some() && (self.reached >= revision || self.ahead.contains(&revision))
    }
}

/// An index on its way.
pub(super) struct Follower {
    env: Env,
    index: Index,
    /// Changes that are in the index although the feed is not settled there: others may still come before them.
    ahead: HashSet<(i64, ProductId)>,
}

impl Follower {
    /// Opens the index that serves; starts a new one when there is none of use.
    pub(super) async fn open(env: &Env, home: &Home) -> Result<Self, Failure> {
        // In this order: changes after it are followed, everything before it is in the rows.
        let settled = change::settled(&env.db).await?;
        let feed = change::feed(&env.db).await?;
        let home = home.clone();
        let open = move || {
            let index = match home.open_current(feed, settled)? {
                Some(index) => index,
                None => home.create_current(Mark::start(feed, settled))?,
            };
            home.sweep();
            Ok(index)
        };
        Ok(Self::of(env, blocking(env, open).await?))
    }

    /// The index in the making, to take the place of the one that serves.
    pub(super) async fn open_next(env: &Env, home: &Home) -> Result<Self, Failure> {
        let settled = change::settled(&env.db).await?;
        let feed = change::feed(&env.db).await?;
        let home = home.clone();
        Ok(Self::of(env, blocking(env, move || home.next(feed, settled)).await?))
    }

    fn of(env: &Env, index: Index) -> Self {
        Self { env: env.clone(), index, ahead: HashSet::new() }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Closes the files, whole.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        let Self { env, index, .. } = self;
        blocking(&env, move || index.finish()).await
    }

    /// Closes the files as one segment.
    pub(super) async fn finish_as_one(self) -> Result<(), Failure> {
        let Self { env, index, .. } = self;
        blocking(&env, move || index.finish_as_one().map_err(Failure::msg)).await
    }

    /// One step forward; whether there is more to do. After a failure the index must be opened again.
    pub(super) async fn step(mut self) -> Result<(Self, Progress, bool), Failure> {
        match self.index.mark().building {
            Some(after) => {
                let this = self.build(after).await?;
                Ok((this, Progress::none(), true))
            }
            None => {
                let now = self.env.clock.now();
                let settled = change::settled(&self.env.db).await?;
                let mark = self.index.mark();
                let limit = STEP + self.ahead.len() as u64;
                let changes = change::after(&self.env.db, (mark.revision, mark.product), limit).await?;
                let more = changes.len() as u64 == limit;
                let as_of = if more { changes.last().map_or(now, |last| last.changed_at) } else { now };
                self = self.apply(settled, &changes, more).await?;
                let progress = self.progress(as_of);
                Ok((self, progress, more))
            }
        }
    }

    /// Adds the next products, in the order of their ids.
    async fn build(mut self, after: Uuid) -> Result<Self, Failure> {
        let after = Some(ProductId(after)).filter(|after| !after.0.is_nil());
        let ids = read::ids_after(&self.env.db, after, STEP).await?;
        self.index.mark_mut().building = ids.last().map(|last| last.0);
        if ids.is_empty() {
            info!("The search index is built");
        }
        self.write(ids).await
    }

    /// Makes the documents of changed products anew.
    async fn apply(mut self, settled: i64, changes: &[Change], more: bool) -> Result<Self, Failure> {
        let fresh =
            changes.iter().filter(|change| !self.ahead.contains(&(change.revision, change.product_id)));
        let mut ids: Vec<ProductId> = fresh.map(|change| change.product_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let last = changes.last().filter(|last| more && last.revision <= settled);
        let mark = self.index.mark_mut();
        match last {
            Some(last) => (mark.revision, mark.product) = (last.revision, last.product_id.0),
            None => (mark.revision, mark.product) = (settled.max(mark.revision), Uuid::max()),
        }
        let unsettled = changes.iter().filter(|change| change.revision > settled);
        self.ahead = unsettled.map(|change| (change.revision, change.product_id)).collect();
        // Without documents the mark waits for the next commit: reading a few changes again costs less.
        if ids.is_empty() { Ok(self) } else { self.write(ids).await }
    }

    async fn write(self, ids: Vec<ProductId>) -> Result<Self, Failure> {
        let sources = read::sources(&self.env.db, &ids).await?;
        let Self { env, mut index, ahead } = self;
        let index = blocking(&env, move || {
            let fields = index.reading().fields;
            let documents: HashMap<ProductId, TantivyDocument> =
                sources.iter().map(|source| (source.product.id, document(&fields, source))).collect();
            index.replace(&ids, documents)?;
            index.commit()?;
            Ok(index)
        });
        let index = index.await?;
        Ok(Self { env, index, ahead })
    }

    fn progress(&self, as_of: DateTime<Utc>) -> Progress {
        let mark = self.index.mark();
        let reached = if mark.product.is_max() { mark.revision } else { mark.revision - 1 };
        let ahead = self.ahead.iter().map(|(revision, _)| *revision).collect();
        Progress { reached, ahead, as_of: Some(as_of) }
    }
}

/// Runs what reads or writes files, or computes for long, where it holds up nobody.
pub(super) async fn blocking<T: Send + 'static>(
    env: &Env,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    env.tasks.runtime().spawn_blocking(work).await?
}
