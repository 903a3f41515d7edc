//! The trading floor: the partitions that this process writes, and the way of a command to its partition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};

use chassis::{Denied, Engine, Env, Failure, Job};
use entity::bidding::market;
use futures::FutureExt;
use matching::Action;
use sea_orm::{EntityTrait, QuerySelect};
use tokio::sync::Mutex;

use crate::apply;
use crate::engine::{Answered, Handle, Owner, PARTITIONS, Ticker, Unanswered, partition_of};
use crate::errand::{Errand, Report, bears_key};
use crate::forward::{Forward, done_here};
use crate::market::engine_id;
use crate::rules::Rules;

/// Partitions that new markets are spread over on SQLite. One commit at a time is all that a file does: more partitions
/// would only split what one commit takes.
const SPREAD_SQLITE: u32 = 1;
/// How often leases are looked after, and what did not reach the engine is tried again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// When a client that was told to wait may come back.
const RETRY_AFTER_MS: u64 = 200;

/// Commands in, books out.
#[derive(Clone)]
pub struct Floor {
    inner: Arc<Inner>,
    /// Whether what another process must do is left to it, and not handed to it.
    stays: bool,
}

struct Inner {
    env: Env,
    rules: Rules,
    /// Partitions whose engines know the caps.
    limited: Mutex<BTreeSet<u32>>,
    owner: Mutex<Owner>,
    handles: RwLock<BTreeMap<u32, Handle>>,
    /// The way to other processes. None: nothing is handed to them, nor taken from them.
    forward: Option<Forward>,
}

/// Why a command has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    Denied(Denied),
    Failure(Failure),
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<sea_orm::DbErr> for NoAnswer {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Denied> for NoAnswer {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Unanswered> for NoAnswer {
    fn from(unanswered: Unanswered) -> Self {
        Self::Denied(match unanswered {
            Unanswered::Overloaded => Denied::Overloaded { retry_after_ms: RETRY_AFTER_MS },
            Unanswered::Unknown => Denied::NotNow("the outcome is not known: send the same once more"),
            Unanswered::NotHere => Denied::NotNow(ELSEWHERE),
        })
    }
}

impl From<NoAnswer> for async_graphql::Error {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Denied(denied) => denied.into(),
            NoAnswer::Failure(failure) => failure.into(),
        }
    }
}

impl Floor {
    pub fn new(env: &Env, rules: Rules) -> Self {
        let owner = Owner::new(env.db.clone(), env.clock.clone(), env.tasks.clone());
        // A data folder has one server: nobody else can hold its partitions.
        let is_alone = env.db.engine() == Engine::Sqlite;
        let forward = env.peers.clone().filter(|_| !is_alone).map(Forward::new);
        let address = forward.as_ref().map(|forward| forward.address().to_owned());
        let owner = if is_alone { owner.alone() } else { owner.reached_at(address) };
        let inner = Inner {
            env: env.clone(),
            rules,
            limited: Mutex::default(),
            owner: Mutex::new(owner),
            handles: RwLock::default(),
            forward,
        };
        Self { inner: Arc::new(inner), stays: false }
    }

    /// The same floor for work that every process does for its own partitions: nothing is handed to another.
    pub fn staying(&self) -> Self {
        Self { stays: true, ..self.clone() }
    }

    pub(crate) fn env(&self) -> &Env {
        &self.inner.env
    }

    fn forward(&self) -> Option<&Forward> {
        self.inner.forward.as_ref().filter(|_| !self.stays)
    }

    pub fn rules(&self) -> &Rules {
        &self.inner.rules
    }

    /// Whether this process stops: it takes nothing any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.inner.env.tasks.stopping().is_cancelled()
    }

    /// The partition of a market that is to be opened.
    pub fn partition_for(&self, market: contract::MarketId) -> i32 {
        let spread = match self.inner.env.db.engine() {
            Engine::Sqlite => SPREAD_SQLITE,
            Engine::Postgres => self.inner.rules.partitions.clamp(1, PARTITIONS),
        };
        (partition_of(engine_id(market)) % spread) as i32
    }

    /// Sends a command with a note to a partition; answers when it is durable. A command with a key reaches the partition
    /// wherever it is written.
    ///
    /// # Errors
    /// Another process writes the partition and is not reached, too much waits, or the outcome is not known: all of them pass.
    pub async fn send(&self, partition: u32, action: Action, note: Vec<u8>) -> Result<Answered, NoAnswer> {
        let Some(forward) = self.forward().filter(|_| bears_key(&action)) else {
            return self.send_here(partition, action, note).await;
        };
        let report = forward.carry(self, partition, &Errand::Command { action, note }).await?;
        Ok(report.answered.ok_or_else(|| Failure::msg("a command was done without an answer"))?)
    }

    /// [`send`](Self::send) for what every process tells its own partitions.
    pub(crate) async fn send_here(
        &self,
        partition: u32,
        action: Action,
        note: Vec<u8>,
    ) -> Result<Answered, NoAnswer> {
        Ok(self.handle(partition).await?.send_with(action, note).await?)
    }

    /// Does an errand that is no command where its partition is written.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) async fn run(&self, partition: u32, errand: Errand) -> Result<Report, NoAnswer> {
        if let Some(forward) = self.forward() {
            return forward.carry(self, partition, &errand).await;
        }
        self.handle(partition).await?;
        Ok(done_here(self, partition, &errand).await??)
    }

    /// A market's best prices, if this process writes its partition.
    pub fn ticker(&self, market: &market::Model) -> Option<Ticker> {
        self.known(market.partition as u32)?.view().ticker(engine_id(market.id))
    }

    /// A market's best prices as they came with the answer to a command of this process, where another one writes it and the
    /// row of its ticker, whose sequence is `row_seq`, is older.
    pub fn ticker_elsewhere(&self, market: &market::Model, row_seq: u64) -> Option<Ticker> {
        self.inner.forward.as_ref()?.heard(market, row_seq)
    }

    /// The writer of a partition, if it is here.
    pub fn known(&self, partition: u32) -> Option<Handle> {
        let handles = self.inner.handles.read().expect("no code panics while it holds this lock");
        handles.get(&partition).filter(|handle| !handle.is_closed()).cloned()
    }

    /// The writer of a partition, started here if nobody else has it.
    pub(crate) async fn handle(&self, partition: u32) -> Result<Handle, NoAnswer> {
        if let Some(handle) = self.known(partition) {
            return Ok(handle);
        }
        self.take(partition).await?;
        self.known(partition).ok_or(Unanswered::NotHere.into())
    }

    /// Takes a partition if nobody else has it; whether it is here now.
    pub(crate) async fn take(&self, partition: u32) -> Result<bool, Failure> {
        self.turn([partition]).await?;
        Ok(self.known(partition).is_some())
    }

    /// Whether a partition has markets. An id that somebody made up must not begin one.
    pub async fn has(&self, partition: u32) -> Result<bool, Failure> {
        Ok(self.known(partition).is_some() || self.partitions().await?.contains(&partition))
    }

    /// The partitions that have markets.
    pub async fn partitions(&self) -> Result<Vec<u32>, Failure> {
        let partitions: Vec<i32> = market::Entity::find()
            .select_only()
            .column(market::Column::Partition)
            .distinct()
            .into_tuple()
            .all(self.inner.env.db.look())
            .await?;
        Ok(partitions.into_iter().map(|partition| partition as u32).collect())
    }

    async fn turn(&self, partitions: impl IntoIterator<Item = u32>) -> Result<(), Failure> {
        let mut owner = self.inner.owner.lock().await;
        // What was given back must not be taken again.
        if self.is_closing() {
            return Ok(());
        }
        owner.turn(partitions).await?;
        *self.inner.handles.write().expect("no code panics while it holds this lock") = owner.running();
        Ok(())
    }

    /// One round: looks after the leases, then tells the engine what it has not heard.
    pub async fn round(&self) -> Result<(), Failure> {
        let partitions = self.partitions().await?;
        self.turn(partitions).await?;
        self.limit().await?;
        apply::everything(&self.inner.env, self).await
    }

    fn here(&self) -> Vec<u32> {
        self.inner.handles.read().expect("no code panics while it holds this lock").keys().copied().collect()
    }

    /// Tells the engines that came since what an account may have.
    async fn limit(&self) -> Result<(), Failure> {
        let mut limited = self.inner.limited.lock().await;
        limited.retain(|partition| self.known(*partition).is_some());
        for partition in self.here() {
            if limited.contains(&partition) {
                continue;
            }
            match self.send_here(partition, Action::SetLimits(self.inner.rules.limits()), Vec::new()).await {
                Ok(_) => _ = limited.insert(partition),
                // What passes is tried again in the next round.
                Err(NoAnswer::Denied(_)) => {}
                Err(NoAnswer::Failure(failure)) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Looks after the floor as long as the process runs.
    pub fn job(&self) -> Job {
        let floor = self.staying();
        let run = move || {
            let floor = floor.clone();
            async move { floor.round().await }.boxed()
        };
        Job { name: "bidding.floor", pause: PAUSE, run: Arc::new(run) }
    }

    /// Gives the partitions back when the process stops, so that the next one need not wait.
    pub fn release_at_stop(&self) {
        let floor = self.clone();
        self.inner.env.tasks.spawn(async move {
            floor.inner.env.tasks.stopping().cancelled().await;
            if let Err(failure) = floor.inner.owner.lock().await.release().await {
                tracing::warn!(error = %failure, "Partitions were not given back; they are free in a moment");
            }
        });
    }
}

/// What clients hear about a partition that another process writes.
pub(crate) const ELSEWHERE: &str = "another process decides about this market: try again";
