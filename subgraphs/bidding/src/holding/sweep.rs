//! Goes on with bids whose sender is gone, ends those that nobody can go on with, and takes bids out of the book whose money
//! is not held any more.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Denied, Env, Failure, Job, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::HoldingId;
use entity::bidding::holding::{Column, Entity, Model, State};
use entity::bidding::{holding_piece, market};
use futures::FutureExt;
use matching::{Action, OrderId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use tracing::warn;

use super::{give_up, send};
use crate::floor::{Floor, NoAnswer};

/// How often to look.
const PAUSE: Duration = Duration::from_secs(1);
/// Rows of each kind in one round.
const ROUND_MAX: u64 = 256;
/// After so long whoever sent a bid has gone.
const TAKEN_OVER_AFTER: TimeDelta = TimeDelta::seconds(2);
/// After so long nobody wants it any more.
const LATE_AFTER: TimeDelta = TimeDelta::minutes(15);
/// How long what came to nothing is remembered: as long as a key counts, and less than the engine remembers its own.
const REMEMBERED_FOR: TimeDelta = TimeDelta::days(2);

/// Looks after bids that are held for as long as the process runs.
pub fn job(env: &Env, floor: &Floor) -> Job {
    let (env, floor) = (env.clone(), floor.clone());
    let run = move || {
        let (env, floor) = (env.clone(), floor.clone());
        async move { sweep(&env, &floor).await }.boxed()
    };
    Job { name: "bidding.holdings", pause: PAUSE, run: Arc::new(run) }
}

/// One round. What another process must do is left to it.
pub async fn sweep(env: &Env, floor: &Floor) -> Result<(), Failure> {
    let now = env.clock.now();
    for row in waiting(now).all(env.db.look()).await? {
        match step(env, floor, now, &row).await {
            Ok(()) | Err(NoAnswer::Denied(Denied::NotNow(_))) => {}
            Err(NoAnswer::Denied(denied)) => warn!(%denied, "A bid that is held for waits: {denied}"),
            Err(NoAnswer::Failure(failure)) => return Err(failure),
        }
    }
    forget(env, now).await
}

fn waiting(now: DateTime<Utc>) -> Select<Entity> {
    let since = |state: State, pause| {
        Condition::all().add(Column::State.eq(state)).add(Column::CreatedAt.lte(now - pause))
    };
    let wanted = Condition::any()
        .add(Column::Lapsed.eq(true))
        .add(since(State::Held, TAKEN_OVER_AFTER))
        .add(since(State::Asked, LATE_AFTER));
    Entity::find().filter(wanted).order_by_asc(Column::CreatedAt).limit(ROUND_MAX)
}

async fn step(env: &Env, floor: &Floor, now: DateTime<Utc>, row: &Model) -> Result<(), NoAnswer> {
    match row.state {
        State::Asked | State::Held if row.created_at <= now - LATE_AFTER => {
            Ok(tx::apply(&env.db, async |tx| give_up(tx, now, row, State::Late).await).await?)
        }
        State::Held => {
            let market = market::Entity::find_by_id(row.market_id).one(env.db.read()).await?;
            let market = market.ok_or_else(|| Failure::msg("a market vanished"))?;
            send(env, floor, &market, row).await.map(drop)
        }
        _ => lapse(env, floor, row).await,
    }
}

/// A bid without its money leaves the book. One that has left already is as it should be.
async fn lapse(env: &Env, floor: &Floor, row: &Model) -> Result<(), NoAnswer> {
    if let (Some(partition), Some(number)) = (row.partition, row.number) {
        let order = OrderId(number as u64);
        floor.send(partition as u32, Action::AuthLapsed { order }, Vec::new()).await?;
    }
    Entity::update_many()
        .col_expr(Column::Lapsed, Expr::val(false))
        .filter(Column::Id.eq(row.id))
        .exec(env.db.write())
        .await?;
    Ok(())
}

/// Forgets what came to nothing: its key may be used again.
async fn forget(env: &Env, now: DateTime<Utc>) -> Result<(), Failure> {
    let over = Entity::find()
        .filter(Column::State.is_in([State::Declined, State::Refused, State::Late]))
        .filter(Column::CreatedAt.lte(now - REMEMBERED_FOR))
        .limit(ROUND_MAX)
        .all(env.db.look())
        .await?;
    if over.is_empty() {
        return Ok(());
    }
    let ids: Vec<HoldingId> = over.into_iter().map(|row| row.id).collect();
    tx::apply(&env.db, async |tx| {
        Entity::delete_many().filter(Column::Id.is_in(ids.iter().copied())).exec(tx).await?;
        let pieces = holding_piece::Column::HoldingId.is_in(ids.iter().copied());
        holding_piece::Entity::delete_many().filter(pieces).exec(tx).await?;
        Ok(())
    })
    .await
}
