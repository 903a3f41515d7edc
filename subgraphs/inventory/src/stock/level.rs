//! A level changes by one guarded statement: the database itself decides who gets the last piece.

use chassis::{Outcome, Tx};
use contract::OfferId;
use entity::inventory::stock_level::{self, Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Move, Unfit};
use crate::limits::ON_HAND_MAX;

/// Changes a level by the sum of `moves`, if it then still holds what it promises.
pub(super) async fn shift(tx: &Tx, offer_id: OfferId, moves: &[Move]) -> Outcome<stock_level::Model, Unfit> {
    let on_hand_delta: i64 = moves.iter().map(|one| one.on_hand_delta).sum();
    let reserved_delta: i64 = moves.iter().map(|one| one.reserved_delta).sum();
    let available_delta = on_hand_delta - reserved_delta;
    let after = |column: Column, delta: i64| Expr::col(column).add(delta);
    let shifted = Entity::update_many()
        .col_expr(Column::OnHand, after(Column::OnHand, on_hand_delta))
        .col_expr(Column::Reserved, after(Column::Reserved, reserved_delta))
        .col_expr(Column::Available, after(Column::Available, available_delta))
        .col_expr(Column::Version, after(Column::Version, 1))
        .filter(Column::OfferId.eq(offer_id))
        .filter(after(Column::Available, available_delta).gte(0))
        .filter(after(Column::Reserved, reserved_delta).gte(0))
        .filter(after(Column::OnHand, on_hand_delta).lte(ON_HAND_MAX))
        .exec_with_returning(tx)
        .await?;
    match shifted.into_iter().next() {
        Some(level) => Ok(Ok(level)),
        None => refuse(tx, offer_id, on_hand_delta).await,
    }
}

async fn refuse(tx: &Tx, offer_id: OfferId, on_hand_delta: i64) -> Outcome<stock_level::Model, Unfit> {
    let level = Entity::find_by_id(offer_id).one(tx).await?;
    Ok(Err(match level {
        Some(level) if level.on_hand + on_hand_delta > ON_HAND_MAX => Unfit::TooMuch { offer_id },
        level => Unfit::NotEnough { offer_id, available: level.map_or(0, |level| level.available) },
    }))
}
