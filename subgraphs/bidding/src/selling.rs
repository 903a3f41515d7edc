//! Whether somebody may sell: a verified shop that can be paid, no pause, and good standing. A pause takes all asks away;
//! nothing comes back by itself. Whoever is suspended has neither asks nor bids until then.

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{SellerId, UserId};
use entity::bidding::seller::{self, Status};
use entity::bidding::{market, payee, selling, selling_due};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

/// Why somebody cannot sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSell {
    #[error("you have no shop, or more than one: name it")]
    NoShop,
    #[error("the shop is not verified")]
    NotVerified,
    #[error("the shop has not said where it is paid")]
    NoPayoutAccount,
    #[error("your selling is paused")]
    Paused,
    #[error(transparent)]
    Suspended(#[from] Suspended),
}

/// Somebody did not keep to matches too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("you are suspended until {until}")]
pub struct Suspended {
    pub until: DateTime<Utc>,
}

/// Whether somebody may take part in markets at `now`. `None`: they may.
pub async fn suspension(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: UserId,
) -> Result<Option<Suspended>, Failure> {
    let row = selling::Entity::find_by_id(user).one(db).await?;
    Ok(row.and_then(|row| row.suspended(now)).map(|until| Suspended { until }))
}

/// The shop that somebody sells for: `named` if it is theirs, else the only one they have.
pub async fn shop(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: UserId,
    named: Option<SellerId>,
) -> Result<Result<SellerId, CannotSell>, Failure> {
    let mut wanted = seller::Entity::find().filter(seller::Column::UserId.eq(user));
    if let Some(named) = named {
        wanted = wanted.filter(seller::Column::SellerId.eq(named));
    }
    let shops = wanted.all(db).await?;
    let shop = match shops.as_slice() {
        [shop] if shop.status == Status::Verified => shop.seller_id,
        [_] => return Ok(Err(CannotSell::NotVerified)),
        _ => return Ok(Err(CannotSell::NoShop)),
    };
    if let Err(why) = standing(db, now, user).await? {
        return Ok(Err(why));
    }
    let payee = payee::Entity::find_by_id(shop).one(db).await?;
    Ok(if payee.is_some_and(|payee| payee.ready) { Ok(shop) } else { Err(CannotSell::NoPayoutAccount) })
}

async fn standing(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: UserId,
) -> Result<Result<(), CannotSell>, Failure> {
    let Some(row) = selling::Entity::find_by_id(user).one(db).await? else { return Ok(Ok(())) };
    Ok(match row.suspended(now) {
        Some(until) => Err(Suspended { until }.into()),
        None if !row.may_sell(now) => Err(CannotSell::Paused),
        None => Ok(()),
    })
}

/// What changes about somebody's selling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Pause,
    Resume,
    /// The shop lost its good standing.
    Bar,
    /// The shop has it again.
    Unbar,
}

/// Notes a change, and that every partition must hear of it. Changing to what is there already changes nothing.
pub async fn change(tx: &Tx, user: UserId, change: Change) -> Result<(), Failure> {
    let (column, value) = match change {
        Change::Pause => (selling::Column::Paused, true),
        Change::Resume => (selling::Column::Paused, false),
        Change::Bar => (selling::Column::Barred, true),
        Change::Unbar => (selling::Column::Barred, false),
    };
    begin(tx, user).await?;
    let changed = selling::Entity::update_many()
        .col_expr(column, Expr::val(value))
        .col_expr(selling::Column::Version, Expr::col(selling::Column::Version).add(1))
        .filter(selling::Column::UserId.eq(user))
        .filter(column.ne(value))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { tell_everybody(tx, user).await } else { Ok(()) }
}

/// Suspends somebody until a time, or for longer than they are. What was heard before changes nothing.
pub async fn suspend(tx: &Tx, user: UserId, until: DateTime<Utc>) -> Result<(), Failure> {
    begin(tx, user).await?;
    let column = selling::Column::SuspendedUntil;
    let changed = selling::Entity::update_many()
        .col_expr(column, Expr::val(until))
        .col_expr(selling::Column::Version, Expr::col(selling::Column::Version).add(1))
        .filter(selling::Column::UserId.eq(user))
        .filter(column.is_null().or(column.lt(until)))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { tell_everybody(tx, user).await } else { Ok(()) }
}

/// Lets those in again whose suspension is over; how many.
pub async fn reinstate(tx: &Tx, now: DateTime<Utc>, rows: u64) -> Result<usize, Failure> {
    let over =
        selling::Entity::find().filter(selling::Column::SuspendedUntil.lte(now)).limit(rows).all(tx).await?;
    for row in &over {
        let changed = selling::Entity::update_many()
            .col_expr(selling::Column::SuspendedUntil, Expr::val(None::<DateTime<Utc>>))
            .col_expr(selling::Column::Version, Expr::col(selling::Column::Version).add(1))
            .filter(selling::Column::UserId.eq(row.user_id))
            .filter(selling::Column::Version.eq(row.version))
            .exec(tx)
            .await?;
        if changed.rows_affected == 1 {
            tell_everybody(tx, row.user_id).await?;
        }
    }
    Ok(over.len())
}

async fn begin(tx: &Tx, user: UserId) -> Result<(), Failure> {
    let first =
        selling::Model { user_id: user, paused: false, barred: false, suspended_until: None, version: 0 };
    selling::Entity::insert(first.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

async fn tell_everybody(tx: &Tx, user: UserId) -> Result<(), Failure> {
    let row = selling::Entity::find_by_id(user).one(tx).await?;
    let version = row.map_or(0, |row| row.version);
    let partitions: Vec<i32> = market::Entity::find()
        .select_only()
        .column(market::Column::Partition)
        .distinct()
        .into_tuple()
        .all(tx)
        .await?;
    if partitions.is_empty() {
        return Ok(());
    }
    let due = partitions
        .into_iter()
        .map(|partition| selling_due::Model { user_id: user, partition, version }.into_active_model());
    let newest = OnConflict::columns([selling_due::Column::UserId, selling_due::Column::Partition])
        .update_column(selling_due::Column::Version)
        .to_owned();
    selling_due::Entity::insert_many(due).on_conflict(newest).exec_without_returning(tx).await?;
    Ok(())
}
