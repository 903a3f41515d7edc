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
pub struct Floor(Arc<Inner>);

struct Inner {
    env: Env,
    rules: Rules,
    /// Partitions whose engines know the caps.
    limited: Mutex<BTreeSet<u32>>,
    owner: Mutex<Owner>,
    handles: RwLock<BTreeMap<u32, Handle>>,
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
        let owner = if env.db.engine() == Engine::Sqlite { owner.alone() } else { owner };
        Self(Arc::new(Inner {
            env: env.clone(),
            rules,
            limited: Mutex::default(),
            owner: Mutex::new(owner),
            handles: RwLock::default(),
        }))
    }

    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The partition of a market that is to be opened.
    pub fn partition_for(&self, market: contract::MarketId) -> i32 {
        let spread = match self.0.env.db.engine() {
            Engine::Sqlite => SPREAD_SQLITE,
            Engine::Postgres => self.0.rules.partitions.clamp(1, PARTITIONS),
        };
        (partition_of(engine_id(market)) % spread) as i32
    }

    /// Sends a command with a note to a partition; answers when it is durable.
    ///
    /// # Errors
    /// Another process writes the partition, too much waits, or the outcome is not known: all of them pass.
    pub async fn send(&self, partition: u32, action: Action, note: Vec<u8>) -> Result<Answered, NoAnswer> {
        let handle = self.handle(partition).await?;
        handle.send_with(action, note).await.map_err(|unanswered| {
            NoAnswer::Denied(match unanswered {
                Unanswered::Overloaded => Denied::Overloaded { retry_after_ms: RETRY_AFTER_MS },
                Unanswered::Unknown => Denied::NotNow("the outcome is not known: send the same once more"),
                Unanswered::NotHere => Denied::NotNow(ELSEWHERE),
            })
        })
    }

    /// A market's best prices, if this process writes its partition.
    pub fn ticker(&self, market: &market::Model) -> Option<Ticker> {
        self.known(market.partition as u32)?.view().ticker(engine_id(market.id))
    }

    /// The writer of a partition, if it is here.
    pub fn known(&self, partition: u32) -> Option<Handle> {
        let handles = self.0.handles.read().expect("no code panics while it holds this lock");
        handles.get(&partition).filter(|handle| !handle.is_closed()).cloned()
    }

    /// The writer of a partition, started here if nobody else has it.
    pub(crate) async fn handle(&self, partition: u32) -> Result<Handle, NoAnswer> {
        if let Some(handle) = self.known(partition) {
            return Ok(handle);
        }
        self.turn([partition]).await?;
        self.known(partition).ok_or(NoAnswer::Denied(Denied::NotNow(ELSEWHERE)))
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
            .all(self.0.env.db.look())
            .await?;
        Ok(partitions.into_iter().map(|partition| partition as u32).collect())
    }

    async fn turn(&self, partitions: impl IntoIterator<Item = u32>) -> Result<(), Failure> {
        let mut owner = self.0.owner.lock().await;
        owner.turn(partitions).await?;
        *self.0.handles.write().expect("no code panics while it holds this lock") = owner.running();
        Ok(())
    }

    /// One round: looks after the leases, then tells the engine what it has not heard.
    pub async fn round(&self) -> Result<(), Failure> {
        let partitions = self.partitions().await?;
        self.turn(partitions).await?;
        self.limit().await?;
        apply::everything(&self.0.env, self).await
    }

    fn here(&self) -> Vec<u32> {
        self.0.handles.read().expect("no code panics while it holds this lock").keys().copied().collect()
    }

    /// Tells the engines that came since what an account may have.
    async fn limit(&self) -> Result<(), Failure> {
        let mut limited = self.0.limited.lock().await;
        limited.retain(|partition| self.known(*partition).is_some());
        for partition in self.here() {
            if limited.contains(&partition) {
                continue;
            }
            match self.send(partition, Action::SetLimits(self.0.rules.limits()), Vec::new()).await {
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
        let floor = self.clone();
        let run = move || {
            let floor = floor.clone();
            async move { floor.round().await }.boxed()
        };
        Job { name: "bidding.floor", pause: PAUSE, run: Arc::new(run) }
    }

    /// Gives the partitions back when the process stops, so that the next one need not wait.
    pub fn release_at_stop(&self) {
        let floor = self.clone();
        self.0.env.tasks.spawn(async move {
            floor.0.env.tasks.stopping().cancelled().await;
            if let Err(failure) = floor.0.owner.lock().await.release().await {
                tracing::warn!(error = %failure, "Partitions were not given back; they are free in a moment");
            }
        });
    }
}

/// What clients hear about a partition that another process writes.
pub(crate) const ELSEWHERE: &str = "another process decides about this market: try again";
