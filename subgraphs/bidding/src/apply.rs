//! What the database knows and the engine has not heard yet: rules of markets, pauses, payments that failed. Each is written
//! first and sent then; whoever dies in between leaves it to the next round. Hearing it twice does no harm.

use chassis::{Denied, Env, Failure, tx};
use contract::{MarketId, UserId};
use entity::bidding::{failed_trade, market, order, selling, selling_due};
use futures::future::join_all;
use matching::{AccountId, Action, Event, OrderId, Refusal};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use tracing::warn;

use crate::backing;
use crate::errand::Errand;
use crate::floor::{Floor, NoAnswer};
use crate::market::{engine_id, rules};
use crate::number::trade_of;
use crate::order::wait_for_rows;
use crate::selling::reinstate;

/// Rows of each kind in one round.
const ROUND_MAX: u64 = 256;

/// One round. What another process must do is left to it.
pub async fn everything(env: &Env, floor: &Floor) -> Result<(), Failure> {
    markets(env, floor).await?;
    suspensions(env).await?;
    pauses(env, floor).await?;
    failed_trades(env, floor).await
}

async fn markets(env: &Env, floor: &Floor) -> Result<(), Failure> {
    let late = Expr::col(market::Column::AppliedVersion).lt(Expr::col(market::Column::Version));
    let rows = market::Entity::find().filter(late).limit(ROUND_MAX).all(env.db.look()).await?;
    for row in rows {
        later(tell_rules(env, floor, &row).await)?;
    }
    Ok(())
}

/// Tells the engine the rules of a market, wherever it is written.
pub async fn apply_market(floor: &Floor, row: &market::Model) -> Result<(), NoAnswer> {
    floor.run(row.partition as u32, Errand::Rules(row.id)).await.map(drop)
}

/// The same where it is written: here.
pub(crate) async fn rules_of(env: &Env, floor: &Floor, id: MarketId) -> Result<(), NoAnswer> {
    match market::Entity::find_by_id(id).one(env.db.write()).await? {
        Some(row) => tell_rules(env, floor, &row).await,
        None => Ok(()),
    }
}

async fn tell_rules(env: &Env, floor: &Floor, row: &market::Model) -> Result<(), NoAnswer> {
    let action = Action::SetMarket { market: engine_id(row.id), rules: rules(row) };
    floor.send_here(row.partition as u32, action, Vec::new()).await?;
    market::Entity::update_many()
        .col_expr(market::Column::AppliedVersion, Expr::val(row.version))
        .filter(market::Column::Id.eq(row.id))
        .filter(market::Column::AppliedVersion.lt(row.version))
        .exec(env.db.write())
        .await?;
    Ok(())
}

/// Whoever's suspension is over may sell again: a change like any other, heard by every partition.
async fn suspensions(env: &Env) -> Result<(), Failure> {
    let now = env.clock.now();
    let over = selling::Entity::find().filter(selling::Column::SuspendedUntil.lte(now));
    if over.one(env.db.look()).await?.is_some() {
        tx::apply(&env.db, async |tx| reinstate(tx, now, ROUND_MAX).await).await?;
    }
    Ok(())
}

async fn pauses(env: &Env, floor: &Floor) -> Result<(), Failure> {
    let due = selling_due::Entity::find().limit(ROUND_MAX).all(env.db.look()).await?;
    for row in due {
        later(apply_pause(env, floor, &row).await)?;
    }
    Ok(())
}

/// Tells every partition what is due of an account.
pub async fn pause_of(env: &Env, floor: &Floor, user: UserId) -> Result<(), Failure> {
    let due =
        selling_due::Entity::find().filter(selling_due::Column::UserId.eq(user)).all(env.db.write()).await?;
    let told = due.iter().map(|row| floor.run(row.partition as u32, Errand::Selling(user)));
    join_all(told).await.into_iter().try_for_each(|told| later(told.map(drop)))
}

/// Tells a partition that is here what is due of an account.
pub(crate) async fn selling_of(
    env: &Env,
    floor: &Floor,
    partition: u32,
    user: UserId,
) -> Result<(), NoAnswer> {
    match selling_due::Entity::find_by_id((user, partition as i32)).one(env.db.write()).await? {
        Some(due) => apply_pause(env, floor, &due).await,
        None => Ok(()),
    }
}

async fn apply_pause(env: &Env, floor: &Floor, due: &selling_due::Model) -> Result<(), NoAnswer> {
    let (account, now) = (AccountId(due.user_id.0.as_u128()), env.clock.now());
    let row = selling::Entity::find_by_id(due.user_id).one(env.db.write()).await?;
    let action = match row.as_ref().is_none_or(|row| row.may_sell(now)) {
        true => Action::ResumeSelling { account },
        false => Action::PauseSelling { account },
    };
    let partition = due.partition as u32;
    let paused = floor.send_here(partition, action, Vec::new()).await?;
    if row.is_some_and(|row| row.suspended(now).is_some()) {
        wait_for_rows(&env.db, partition, paused.seq).await?;
        lapse_bids(env, floor, due).await?;
    }
    selling_due::Entity::delete_many()
        .filter(selling_due::Column::UserId.eq(due.user_id))
        .filter(selling_due::Column::Partition.eq(due.partition))
        .filter(selling_due::Column::Version.eq(due.version))
        .exec(env.db.write())
        .await?;
    Ok(())
}

/// Nobody is to be bound by the bids of somebody who does not keep to matches.
async fn lapse_bids(env: &Env, floor: &Floor, due: &selling_due::Model) -> Result<(), NoAnswer> {
    let bids = order::Entity::find()
        .filter(order::Column::Account.eq(due.user_id.0))
        .filter(order::Column::Partition.eq(due.partition))
        .filter(order::Column::Side.eq(order::Side::Bid))
        .filter(order::Column::Status.eq(order::Status::Open));
    for bid in bids.all(env.db.read()).await? {
        let order = OrderId(bid.number as u64);
        floor.send_here(due.partition as u32, Action::AuthLapsed { order }, Vec::new()).await?;
    }
    Ok(())
}

async fn failed_trades(env: &Env, floor: &Floor) -> Result<(), Failure> {
    let due = failed_trade::Entity::find()
        .filter(failed_trade::Column::Due.eq(true))
        .order_by_asc(failed_trade::Column::HeardAt)
        .limit(ROUND_MAX);
    for row in due.all(env.db.look()).await? {
        later(apply_failed(env, floor, &row).await)?;
    }
    Ok(())
}

/// A trade that the engine has forgotten, or whose failure it knows, needs nothing more.
async fn apply_failed(env: &Env, floor: &Floor, row: &failed_trade::Model) -> Result<(), NoAnswer> {
    if let Some((partition, trade)) = trade_of(row.trade_id) {
        let told = floor.send_here(partition, Action::PaymentFailed { trade }, Vec::new()).await?;
        let forgotten =
            |event: &Event| matches!(event, Event::Refused { refusal: Refusal::UnknownTrade, .. });
        if told.events.iter().any(forgotten) {
            backing::forget_match(env, partition, trade.0 as i64).await?;
        }
    }
    failed_trade::Entity::update_many()
        .col_expr(failed_trade::Column::Due, Expr::val(false))
        .filter(failed_trade::Column::TradeId.eq(row.trade_id))
        .exec(env.db.write())
        .await?;
    Ok(())
}

/// What another process must do, or what passes, is tried again in the next round.
fn later(done: Result<(), NoAnswer>) -> Result<(), Failure> {
    match done {
        Ok(()) => Ok(()),
        Err(NoAnswer::Denied(Denied::NotNow(_))) => Ok(()),
        Err(NoAnswer::Denied(denied)) => {
            warn!(%denied, "The engine was not told: {denied}");
            Ok(())
        }
        Err(NoAnswer::Failure(failure)) => Err(failure),
    }
}
