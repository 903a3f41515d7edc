//! Whether somebody may sell: a verified shop, and no pause. A pause takes all asks away; nothing comes back by itself.

use chassis::{Failure, Tx};
use contract::{SellerId, UserId};
use entity::bidding::seller::{self, Status};
use entity::bidding::{market, selling, selling_due};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

/// Why somebody cannot sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSell {
    #[error("you have no shop, or more than one: name it")]
    NoShop,
    #[error("the shop is not verified")]
    NotVerified,
    #[error("your selling is paused")]
    Paused,
}

/// The shop that somebody sells for: `named` if it is theirs, else the only one they have.
pub async fn shop(
    db: &impl ConnectionTrait,
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
    let selling = selling::Entity::find_by_id(user).one(db).await?;
    Ok(match selling.is_none_or(|selling| selling.may_sell()) {
        true => Ok(shop),
        false => Err(CannotSell::Paused),
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
    let first = selling::Model { user_id: user, paused: false, barred: false, version: 0 };
    selling::Entity::insert(first.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let changed = selling::Entity::update_many()
        .col_expr(column, Expr::val(value))
        .col_expr(selling::Column::Version, Expr::col(selling::Column::Version).add(1))
        .filter(selling::Column::UserId.eq(user))
        .filter(column.ne(value))
        .exec(tx)
        .await?;
    if changed.rows_affected == 1 { tell_everybody(tx, user).await } else { Ok(()) }
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
