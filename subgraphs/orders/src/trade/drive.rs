//! Moves trades by the table: what payments answered, what patience ended, what sellers, the centre, buyers and operators
//! did. A whole batch is one transaction with few statements, whatever its size.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Tx, outbox, tx};
use chrono::{DateTime, Utc};
use contract::TradeId;
use entity::orders::trade::{Column, Entity, Model};
use entity::orders::{authentication_task, trade_event};
use futures::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::failure::Why;
use super::rules::Rules;
use super::saga::{Heard, State, Then, due, next, pause};
use super::{said, strike};
use crate::failure::Action;

/// Trades whose patience ended that are moved in one transaction.
const SWEEP_BATCH: u64 = 256;
/// How often the sweeper looks.
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
/// The name of other services in the log of a trade.
const SERVICES: &str = "system";
/// The name of deadlines in the log of a trade.
const TIMER: &str = "timer";

/// Something that a trade hears.
#[derive(Clone, Debug)]
pub struct News {
    pub trade: TradeId,
    pub heard: Heard,
    /// Why it will come to nothing, if this is why.
    pub why: Option<Why>,
    /// What the buyer must do.
    pub action: Option<Action>,
    /// Who did it.
    pub actor: String,
    /// For the log.
    pub details: Option<Value>,
}

impl News {
    pub fn new(trade: TradeId, heard: Heard) -> Self {
        Self { trade, heard, why: None, action: None, actor: SERVICES.into(), details: None }
    }

    pub fn because(self, why: Why) -> Self {
        Self { why: Some(why), ..self }
    }

    pub fn by(self, actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), ..self }
    }
}

/// One move of a trade.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub trade: TradeId,
    pub from: State,
    pub state: State,
    pub then: &'static [Then],
    pub version: i64,
}

impl Move {
    /// Whether it came to a new state.
    pub fn arrived(&self) -> bool {
        self.from != self.state
    }
}

/// Tells trades what they hear; how many moved. What is no move changes nothing.
pub async fn hear(tx: &Tx, rules: &Rules, now: DateTime<Utc>, news: Vec<News>) -> Result<usize, Failure> {
    if news.is_empty() {
        return Ok(0);
    }
    let mut known = lock(tx, news.iter().map(|news| news.trade)).await?;
    let (mut moves, mut log) = (Vec::new(), Vec::new());
    for news in news {
        let Some(row) = known.get_mut(&news.trade) else { continue };
        let Some(done) = step(rules, now, row, &news) else { continue };
        log.push(entry(now, &done, news));
        moves.push(done);
    }
    if moves.is_empty() {
        return Ok(0);
    }
    known.retain(|trade, _| moves.iter().any(|done| done.trade == *trade));
    store(tx, known.values(), log).await?;
    open_tasks(tx, now, &moves).await?;
    let struck = strike::write(tx, rules, now, &known, &moves).await?;
    outbox::say_all(tx, now, said::of(rules, &known, &moves, struck)?).await?;
    Ok(moves.len())
}

/// The trades, locked until the transaction ends, in the order of their ids.
async fn lock(tx: &Tx, ids: impl Iterator<Item = TradeId>) -> Result<BTreeMap<TradeId, Model>, Failure> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(ids))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// One row of the table, done to one trade.
fn step(rules: &Rules, now: DateTime<Utc>, row: &mut Model, news: &News) -> Option<Move> {
    let (state, then) = next(row.state, news.heard)?;
    let from = row.state;
    row.repeats = if state == from { row.repeats + 1 } else { 0 };
    row.next_run_at = pause(rules, state, row.repeats, roll(row.id, row.repeats)).map(|pause| now + pause);
    if row.failure.is_none() {
        row.failure = news.why.as_ref().map(Why::to_text);
    }
    row.action = news.action.as_ref().map(Action::to_text);
    row.state = state;
    row.version += 1;
    row.updated_at = now;
    Some(Move { trade: row.id, from, state, then, version: row.version })
}

/// Different for each trade and each repeat, and the same when the transaction is tried again.
pub(super) fn roll(trade: TradeId, repeats: i32) -> u64 {
    trade.0.as_u64_pair().1.wrapping_mul(u64::from(repeats.unsigned_abs()) * 2 + 1)
}

fn entry(now: DateTime<Utc>, done: &Move, news: News) -> trade_event::Model {
    let kind = if done.arrived() { done.state.name() } else { "asked_again" };
    let details = match (news.details, &news.why) {
        (Some(details), _) => details.to_string(),
        (None, Some(why)) => why.to_text(),
        (None, None) => "{}".into(),
    };
    trade_event::Model {
        trade_id: done.trade,
        sequence: done.version,
        kind: kind.into(),
        actor: news.actor,
        details,
        at: now,
    }
}

/// Who did not have the lock after all changes nothing: the version has moved on.
async fn store(
    tx: &Tx,
    rows: impl ExactSizeIterator<Item = &Model>,
    log: Vec<trade_event::Model>,
) -> Result<(), Failure> {
    let older = Expr::col((Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
    let there = OnConflict::column(Column::Id)
        .update_columns([
            Column::State,
            Column::Repeats,
            Column::NextRunAt,
            Column::Failure,
            Column::Action,
            Column::Version,
            Column::UpdatedAt,
        ])
        .action_and_where(older)
        .to_owned();
    let moved = rows.len() as u64;
    let rows = rows.map(|row| row.clone().into_active_model());
    let written = Entity::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    if written != moved {
        return Err(Failure::msg("a trade moved under its lock"));
    }
    let log = log.into_iter().map(IntoActiveModel::into_active_model);
    trade_event::Entity::insert_many(log).exec_without_returning(tx).await?;
    Ok(())
}

async fn open_tasks(tx: &Tx, now: DateTime<Utc>, moves: &[Move]) -> Result<(), Failure> {
    let opened = moves.iter().filter(|done| done.then.contains(&Then::OpenTask));
    let rows: Vec<_> = opened.map(|done| super::authentication::task(done.trade, now)).collect();
    if !rows.is_empty() {
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
        authentication_task::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Writes something into the log of a trade that is no move of its saga. The caller has its lock.
pub async fn note(
    tx: &Tx,
    now: DateTime<Utc>,
    row: &mut Model,
    kind: &str,
    actor: &str,
    details: Value,
) -> Result<(), Failure> {
    row.version += 1;
    row.updated_at = now;
    let entry = trade_event::Model {
        trade_id: row.id,
        sequence: row.version,
        kind: kind.into(),
        actor: actor.into(),
        details: details.to_string(),
        at: now,
    };
    store(tx, std::iter::once(&*row), vec![entry]).await
}

/// The sweeper of trades whose patience ended.
pub fn sweeper(env: &Env, rules: Rules) -> Job {
    let env = env.clone();
    Job {
        name: "orders trade sweeper",
        pause: SWEEP_PAUSE,
        run: Arc::new(move || {
            let env = env.clone();
            async move { sweep(&env, &rules).await.map(drop) }.boxed()
        }),
    }
}

/// Moves every trade whose patience ended; how many. Two processes that sweep at once share the work.
pub async fn sweep(env: &Env, rules: &Rules) -> Result<usize, Failure> {
    let mut swept = 0;
    loop {
        let now = env.clock.now();
        // Looking is cheap; only a find takes the write lock.
        if waiting(now).one(env.db.look()).await?.is_none() {
            return Ok(swept);
        }
        let moved = tx::apply(&env.db, async |tx| sweep_batch(tx, rules, now).await).await?;
        swept += moved;
        if moved == 0 {
            return Ok(swept);
        }
    }
}

async fn sweep_batch(tx: &Tx, rules: &Rules, now: DateTime<Utc>) -> Result<usize, Failure> {
    let claimed = waiting(now)
        .order_by_asc(Column::Id)
        .limit(SWEEP_BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let news = claimed.into_iter().map(|row| {
        let heard = due(row.state, row.repeats);
        let late = if heard == Heard::Silence { None } else { Why::late(row.state) };
        News { why: late, ..News::new(row.id, heard).by(TIMER) }
    });
    hear(tx, rules, now, news.collect()).await
}

fn waiting(now: DateTime<Utc>) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::NextRunAt.lte(now))
}
