//! The in-process transport: hands each service's outbox to the consumers of this process. No broker.
//!
//! One relay per service at a time, by a lease. It reads by the flag `published_at is null`, never by "greater than the
//! last seen", because row numbers are taken before the commit. An event that fails holds back the later events of its
//! aggregate only; after [`ATTEMPTS_MAX`] tries it becomes a dead letter.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contract::{Envelope, EventId};
use entity::shared::outbox;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tracing::{error, warn};
use uuid::Uuid;

use crate::failpoint::{self, Place};
use crate::inbox::Consumer;
use crate::{Clock, Database, Engine, Failure, Tasks, lease};

/// Events delivered in one transaction of a consumer.
const BATCH_MAX: u64 = 512;
/// Failed deliveries after which an event becomes a dead letter.
pub const ATTEMPTS_MAX: i32 = 10;
/// The wait after the first failure; it doubles with each further one, up to [`BACKOFF_MAX`].
const BACKOFF: TimeDelta = TimeDelta::milliseconds(100);
const BACKOFF_MAX: TimeDelta = TimeDelta::seconds(30);
/// How often to look when no commit of this process woke the relay: another process may have written.
const POLL: Duration = Duration::from_secs(1);
/// How long a relay that delivered something waits before it looks again: what is said meanwhile goes along. Shorter than
/// it takes to answer, so that what has the marketplace to itself does not wait for it.
const BREATH: Duration = Duration::from_millis(5);
/// How long a relay that died keeps its place.
const LEASE: TimeDelta = TimeDelta::seconds(5);

/// True, and the transaction's commit does not wait for PostgreSQL's log to be on the disk.
const NO_WAIT: &str = "set_config('synchronous_commit', 'off', true) = 'off'";

/// Delivers what one service says.
pub struct Relay {
    source: Database,
    clock: Clock,
    consumers: Vec<Consumer>,
    holder: Uuid,
    held_until: Mutex<DateTime<Utc>>,
}

/// What there was to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Some,
    /// A whole batch: there may be more.
    Full,
}

/// What became of a batch.
#[derive(Default)]
struct Report {
    failed: HashSet<EventId>,
    held: HashSet<EventId>,
}

impl Relay {
    pub fn new(source: Database, clock: Clock, consumers: Vec<Consumer>) -> Self {
        let held_until = Mutex::new(DateTime::UNIX_EPOCH);
        Self { source, clock, consumers, holder: Uuid::now_v7(), held_until }
    }

    /// Delivers until the process stops.
    pub fn start(self, tasks: &Tasks) {
        let stop = tasks.stopping().clone();
        tasks.spawn(async move {
            while !stop.is_cancelled() {
                let turn = self.take_turn().await.unwrap_or_else(|failure| {
                    warn!(service = self.source.service(), error = %failure, "The relay will try again");
                    Turn::Nothing
                });
                match turn {
                    Turn::Full => continue,
                    Turn::Some => tokio::time::sleep(BREATH).await,
                    Turn::Nothing => {}
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.source.committed() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            _ = lease::release(&self.source, "relay", self.holder).await;
        });
    }

    /// Delivers one batch if this relay holds the lease; whether there may be more.
    pub async fn turn(&self) -> Result<bool, Failure> {
        Ok(self.take_turn().await? == Turn::Full)
    }

    async fn take_turn(&self) -> Result<Turn, Failure> {
        let now = self.clock.now();
        let rows = self.waiting(now).await?;
        self.measure(now, rows.first());
        if rows.is_empty() || !self.leads(now).await? {
            return Ok(Turn::Nothing);
        }
        let report = self.deliver(&rows).await;
        failpoint::pass(self.source.service(), Place::Delivered);
        let published =
            rows.iter().filter(|row| !report.failed.contains(&row.id) && !report.held.contains(&row.id));
        self.mark_published(now, published.map(|row| row.id).collect()).await?;
        for row in rows.iter().filter(|row| report.failed.contains(&row.id)) {
            self.postpone(now, row).await?;
        }
        let full = rows.len() as u64 == BATCH_MAX && report.held.is_empty();
        Ok(if full { Turn::Full } else { Turn::Some })
    }

    /// Whether the lease is this relay's. One that nobody else can take for a while yet is not asked for.
    async fn leads(&self, now: DateTime<Utc>) -> Result<bool, Failure> {
        if *self.held_until() - now > LEASE / 2 {
            return Ok(true);
        }
        let held = lease::hold_until(&self.source, "relay", self.holder, now, LEASE).await?;
        if let Some(until) = held {
            *self.held_until() = until;
        }
        Ok(held.is_some())
    }

    fn held_until(&self) -> std::sync::MutexGuard<'_, DateTime<Utc>> {
        self.held_until.lock().expect("no code panics while it holds this lock")
    }

    /// Unpublished events whose turn it is: not behind an earlier event of the same aggregate that waits for a retry.
    async fn waiting(&self, now: DateTime<Utc>) -> Result<Vec<outbox::Model>, Failure> {
        let earlier = Alias::new("earlier");
        let column = |name: outbox::Column| Expr::col((earlier.clone(), name));
        let blocked = Query::select()
            .expr(Expr::val(1))
            .from_as(outbox::Entity, earlier.clone())
            .and_where(column(outbox::Column::PublishedAt).is_null())
            .and_where(
                column(outbox::Column::AggregateId)
                    .eq(Expr::col((outbox::Entity, outbox::Column::AggregateId))),
            )
            .and_where(column(outbox::Column::NextAttemptAt).gt(now))
            .and_where(column(outbox::Column::Seq).lte(Expr::col((outbox::Entity, outbox::Column::Seq))))
            .take();
        let rows = outbox::Entity::find()
            .filter(outbox::Column::PublishedAt.is_null())
            .filter(Expr::exists(blocked).not())
            .order_by_asc(outbox::Column::Seq)
            .limit(BATCH_MAX)
            .all(self.source.look())
            .await?;
        if !rows.is_empty() {
            self.source.found();
        }
        Ok(rows)
    }

    async fn deliver(&self, rows: &[outbox::Model]) -> Report {
        let said: Vec<Said<'_>> = rows.iter().filter_map(|row| Some((row, read(row)?))).collect();
        let reports = self.consumers.iter().map(|consumer| hand_over(consumer, &said));
        futures::future::join_all(reports).await.into_iter().fold(Report::default(), |mut all, report| {
            all.failed.extend(report.failed);
            all.held.extend(report.held);
            all
        })
    }

    async fn mark_published(&self, now: DateTime<Utc>, ids: Vec<EventId>) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        metrics::counter!("souk_outbox_published_total", "service" => self.source.service())
            .increment(ids.len() as u64);
        let mut published = outbox::Entity::update_many()
            .col_expr(outbox::Column::PublishedAt, Expr::val(now))
            .filter(outbox::Column::Id.is_in(ids));
        if self.source.engine() == Engine::Postgres {
            // Nobody waits for the disk: should a crash lose this, the same is delivered again, and does nothing.
            published = published.filter(Expr::cust(NO_WAIT));
        }
        published.exec(self.source.write()).await?;
        Ok(())
    }

    async fn postpone(&self, now: DateTime<Utc>, row: &outbox::Model) -> Result<(), Failure> {
        let wait = (BACKOFF * 2_i32.pow(row.attempts.clamp(0, 16) as u32)).min(BACKOFF_MAX);
        outbox::Entity::update_many()
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
            .col_expr(outbox::Column::NextAttemptAt, Expr::val(now + wait))
            .filter(outbox::Column::Id.eq(row.id))
            .exec(self.source.write())
            .await?;
        Ok(())
    }

    fn measure(&self, now: DateTime<Utc>, oldest: Option<&outbox::Model>) {
        let lag_ms = oldest.map_or(0, |row| (now - row.occurred_at).num_milliseconds());
        metrics::gauge!("souk_outbox_lag_seconds", "service" => self.source.service())
            .set(lag_ms as f64 / 1_000.0);
    }
}

/// A row of the outbox and what it says.
type Said<'r> = (&'r outbox::Model, Envelope);

/// Gives `consumer` what it wants of `said`: as one batch, or one by one when the batch fails.
async fn hand_over(consumer: &Consumer, said: &[Said<'_>]) -> Report {
    let wanted: Vec<&Said<'_>> = said.iter().filter(|(_, event)| consumer.wants(event)).collect();
    let batch = wanted.iter().map(|(_, event)| event.clone()).collect();
    match consumer.deliver(batch).await {
        Ok(()) => Report::default(),
        Err(failure) => {
            warn!(consumer = consumer.name, error = %failure, "A batch of events failed; trying them one by one");
            one_by_one(consumer, wanted).await
        }
    }
}

async fn one_by_one(consumer: &Consumer, wanted: Vec<&Said<'_>>) -> Report {
    let mut report = Report::default();
    let mut stuck: HashSet<Uuid> = HashSet::new();
    for (row, event) in wanted {
        if stuck.contains(&row.aggregate_id) {
            report.held.insert(row.id);
            continue;
        }
        let Err(failure) = consumer.deliver(vec![event.clone()]).await else {
            continue;
        };
        if failure.is_retryable() {
            // The consumer's database is away: that is nobody's fault and not a try.
            report.held.insert(row.id);
            stuck.insert(row.aggregate_id);
        } else if row.attempts + 1 < ATTEMPTS_MAX || !give_up(consumer, row, event, &failure).await {
            report.failed.insert(row.id);
            stuck.insert(row.aggregate_id);
        }
    }
    report
}

async fn give_up(consumer: &Consumer, row: &outbox::Model, event: &Envelope, failure: &Failure) -> bool {
    error!(consumer = consumer.name, event.id = %event.id, event.kind = event.event.kind(), error = %failure,
        "Event {} is a dead letter after {ATTEMPTS_MAX} attempts", event.id);
    metrics::counter!("souk_dead_letters_total", "consumer" => consumer.name).increment(1);
    consumer.bury(event, row.attempts + 1, failure).await.is_ok()
}

/// `None`: said by a newer version of this program; the consumers of this one cannot want it.
fn read(row: &outbox::Model) -> Option<Envelope> {
    serde_json::from_str(&row.envelope)
        .inspect_err(|error| warn!(event.id = %row.id, event.kind = row.kind, %error, "Nobody here understands event {}", row.id))
        .ok()
}
