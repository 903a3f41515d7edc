//! The courier: takes steps to the providers, outside of any transaction, many at once, and writes down what they said.
//!
//! A step is handed over in the transaction that stores it and leaves right after the commit. What nobody took along, or
//! was lost with its process, is found by looking at what is due. A call may be made twice, always with the same key.

mod breaker;
mod call;
pub(crate) mod outcome;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::{Env, Failure, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use entity::payments::payment_step::{Column, Entity, State};
use entity::payments::{payment, payment_step, payout};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tracing::{error, warn};
use uuid::Uuid;

use crate::desk::Desk;
use crate::file::File;
use crate::provider::Providers;
use breaker::Breakers;
use outcome::Report;

/// Calls on their way at once, of one process.
const IN_FLIGHT_MAX: usize = 128;
/// Reports written in one transaction.
const REPORTS_MAX: usize = 128;
/// How long the first of some answers waits for the others: calls that began together end together.
const MOMENT: Duration = Duration::from_millis(3);
/// How long a step belongs to who took it: longer than a call may last.
const LEASE: TimeDelta = TimeDelta::seconds(40);
/// How often to look for steps that nobody handed over: retries, and those of processes that died.
const POLL: Duration = Duration::from_millis(250);

/// A step with what its call needs to know.
#[derive(Clone, Debug)]
pub struct Errand {
    pub step: payment_step::Model,
    pub payment: payment::Model,
    /// What is transferred or taken back.
    pub payout: Option<payout::Model>,
    /// The key may have reached the provider before.
    pub sent_before: bool,
}

/// Takes the steps of one process to the providers.
pub struct Courier {
    env: Env,
    providers: Providers,
    breakers: Breakers,
    holder: Uuid,
    bag: Mutex<Vec<Errand>>,
    news: Arc<Notify>,
    running: AtomicBool,
    in_flight: AtomicUsize,
}

impl Courier {
    /// `news` wakes it: something may be due.
    pub fn new(env: &Env, providers: Providers, news: Arc<Notify>) -> Self {
        Self {
            env: env.clone(),
            providers,
            breakers: Breakers::default(),
            holder: Uuid::now_v7(),
            bag: Mutex::default(),
            news,
            running: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
        }
    }

    /// Who takes new payments.
    pub fn first_provider(&self) -> &'static str {
        self.providers.first().name()
    }

    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    fn bag(&self) -> std::sync::MutexGuard<'_, Vec<Errand>> {
        self.bag.lock().expect("no code panics while it holds this lock")
    }

    /// How many more calls may begin.
    fn room(&self) -> usize {
        IN_FLIGHT_MAX.saturating_sub(self.in_flight.load(Ordering::Relaxed) + self.bag().len())
    }

    /// Claims the steps of `file` that are due and nobody's, as long as there is room, for [`leave_after`](Self::leave_after).
    pub(crate) fn take_along(&self, now: DateTime<Utc>, file: &mut File, errands: &mut Vec<Errand>) {
        if !self.running.load(Ordering::Relaxed) {
            return;
        }
        let due = |step: &&mut payment_step::Model| {
            step.state == State::Waiting && step.claimed_until.is_none() && step.next_run_at <= now
        };
        let room = self.room().saturating_sub(errands.len());
        for step in file.steps.iter_mut().filter(due).take(room) {
            let sent_before = step.first_sent_at.is_some();
            step.claimed_by = Some(self.holder);
            step.claimed_until = Some(now + LEASE);
            step.first_sent_at.get_or_insert(now);
            let payout = file.payouts.iter().find(|payout| payout.id.0 == step.subject).cloned();
            errands.push(Errand { step: step.clone(), payment: file.payment.clone(), payout, sent_before });
        }
    }

    /// Leaves with `errands` when the transaction that claimed them is committed.
    pub(crate) fn leave_after(self: &Arc<Self>, tx: &Tx, errands: Vec<Errand>) {
        if errands.is_empty() {
            return;
        }
        let courier = self.clone();
        tx.after_commit(move || {
            courier.bag().extend(errands);
            courier.news.notify_one();
        });
    }

    /// Works until the process stops. Calls begin as soon as there are steps and room; what they told is written in
    /// batches as it comes in.
    pub async fn run(self: Arc<Self>) -> Result<(), Failure> {
        let (report, mut reports) = mpsc::channel(IN_FLIGHT_MAX);
        let stop = self.env.tasks.stopping().clone();
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.running.store(true, Ordering::Relaxed);
        let mut told = vec![];
        while !stop.is_cancelled() {
            self.begin(&report);
            tokio::select! {
                biased;
                _ = reports.recv_many(&mut told, REPORTS_MAX) => {
                    self.gather(&mut reports, &mut told).await;
                    self.write_down(std::mem::take(&mut told)).await;
                }
                () = stop.cancelled() => {}
                () = self.news.notified() => if self.bag().is_empty() { self.collect().await },
                _ = poll.tick() => self.collect().await,
            }
        }
        self.running.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Adds what is told within a moment to what was told first, as long as calls are on their way.
    async fn gather(&self, reports: &mut mpsc::Receiver<Report>, told: &mut Vec<Report>) {
        let until = Instant::now() + MOMENT;
        while self.in_flight.load(Ordering::Relaxed) > 0 && told.len() < REPORTS_MAX {
            let more = reports.recv_many(told, REPORTS_MAX - told.len());
            if tokio::time::timeout_at(until, more).await.is_err() {
                return;
            }
        }
    }

    /// One round by hand: collects what is due, makes the calls, writes down what they told; how many there were. For
    /// tests, and for processes that do not [`run`](Self::run).
    pub async fn round(self: &Arc<Self>) -> Result<usize, Failure> {
        let errands = self.claim().await?;
        let calls = errands.into_iter().map(|errand| self.call(errand));
        let told: Vec<Report> = futures::future::join_all(calls).await;
        let many = told.len();
        self.write_down(told).await;
        Ok(many)
    }

    /// Starts the calls of what is in the bag.
    fn begin(self: &Arc<Self>, report: &mpsc::Sender<Report>) {
        let errands = std::mem::take(&mut *self.bag());
        for errand in errands {
            self.in_flight.fetch_add(1, Ordering::Relaxed);
            let (courier, report) = (self.clone(), report.clone());
            self.env.tasks.spawn(async move {
                let told = courier.call(errand).await;
                courier.in_flight.fetch_sub(1, Ordering::Relaxed);
                // Nobody listens when the process stops: the step is found by its lease.
                _ = report.send(told).await;
            });
        }
    }

    /// Puts what is due into the bag.
    async fn collect(self: &Arc<Self>) {
        match self.claim().await {
            Ok(errands) => self.bag().extend(errands),
            Err(failure) => warn!(error = %failure, "The courier will look again"),
        }
    }

    /// Claims due steps that are nobody's, as many as there is room for.
    async fn claim(self: &Arc<Self>) -> Result<Vec<Errand>, Failure> {
        let now = self.env.clock.now();
        let room = self.room() as u64;
        // Looking is cheap; only a find takes the write lock.
        if room == 0 || due(now).one(self.env.db.look()).await?.is_none() {
            return Ok(vec![]);
        }
        tx::apply(&self.env.db, async |tx| {
            let steps = due(now)
                .order_by_asc(Column::NextRunAt)
                .limit(room)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .all(tx)
                .await?;
            if steps.is_empty() {
                return Ok(vec![]);
            }
            self.mark(tx, now, &steps).await?;
            self.errands(tx, steps).await
        })
        .await
    }

    async fn mark(&self, tx: &Tx, now: DateTime<Utc>, steps: &[payment_step::Model]) -> Result<(), Failure> {
        let first = Expr::col(Column::FirstSentAt).if_null(now);
        Entity::update_many()
            .col_expr(Column::ClaimedBy, Expr::val(self.holder))
            .col_expr(Column::ClaimedUntil, Expr::val(now + LEASE))
            .col_expr(Column::FirstSentAt, first)
            .filter(Column::Id.is_in(steps.iter().map(|step| step.id)))
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn errands(&self, tx: &Tx, steps: Vec<payment_step::Model>) -> Result<Vec<Errand>, Failure> {
        let payments: BTreeSet<_> = steps.iter().map(|step| step.payment_id).collect();
        let payouts: BTreeSet<_> = steps.iter().map(|step| contract::PayoutId(step.subject)).collect();
        let payments = payment::Entity::find().filter(payment::Column::Id.is_in(payments)).all(tx).await?;
        let payments: HashMap<_, _> = payments.into_iter().map(|row| (row.id, row)).collect();
        let payouts = payout::Entity::find().filter(payout::Column::Id.is_in(payouts)).all(tx).await?;
        let payouts: HashMap<_, _> = payouts.into_iter().map(|row| (row.id.0, row)).collect();
        let errand = |step: payment_step::Model| {
            let payment = payments.get(&step.payment_id)?.clone();
            let payout = payouts.get(&step.subject).cloned();
            let sent_before = step.first_sent_at.is_some();
            Some(Errand { step, payment, payout, sent_before })
        };
        Ok(steps.into_iter().filter_map(errand).collect())
    }

    /// Writes down what calls told, together; one by one when that fails, so that one that cannot be written holds up no
    /// other. Its step is asked again when its lease is over.
    async fn write_down(self: &Arc<Self>, reports: Vec<Report>) {
        let Err(failure) = self.write(&reports).await else { return };
        warn!(error = %failure, "Writing down {} answers failed; trying them one by one", reports.len());
        for report in &reports {
            if let Err(failure) = self.write(std::slice::from_ref(report)).await {
                error!(step.key = report.key(), error = %failure, "An answer cannot be written down");
            }
        }
    }

    async fn write(self: &Arc<Self>, reports: &[Report]) -> Result<(), Failure> {
        let now = self.env.clock.now();
        tx::apply(&self.env.db, async |tx| {
            let ids = reports.iter().map(Report::payment_id).collect();
            let captures = reports.iter().any(Report::may_capture);
            let mut desk = Desk::open(tx, now, ids, captures).await?;
            for report in reports {
                if let Some((file, pen)) = desk.file(report.payment_id()) {
                    outcome::apply(file, pen, report)?;
                }
            }
            desk.close(tx, self).await
        })
        .await
    }
}

fn due(now: DateTime<Utc>) -> Select<Entity> {
    let nobodys = Condition::any().add(Column::ClaimedUntil.is_null()).add(Column::ClaimedUntil.lte(now));
    Entity::find().filter(Column::State.eq(State::Waiting)).filter(Column::NextRunAt.lte(now)).filter(nobodys)
}
