//! The shelves of an offer. Its level was changed first in the same transaction, and that lock covers them.

use std::collections::BTreeMap;

use chassis::{Failure, Outcome, Tx};
use contract::{LocationId, OfferId};
use entity::inventory::location_level::{self, Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Move, Unfit};

pub(super) async fn shift(tx: &Tx, offer_id: OfferId, moves: &[Move]) -> Outcome<(), Unfit> {
    let mut deltas: BTreeMap<LocationId, i64> = BTreeMap::new();
    for one in moves {
        if let Some(location) = one.location_id {
            *deltas.entry(location).or_default() += one.on_hand_delta;
        }
    }
    for (location_id, delta) in deltas {
        if delta > 0 {
            put(tx, location_level::Model { offer_id, location_id, on_hand: delta }).await?;
        } else if delta < 0 && !take(tx, offer_id, location_id, -delta).await? {
            let there = Entity::find_by_id((offer_id, location_id)).one(tx).await?;
            let on_hand = there.map_or(0, |shelf| shelf.on_hand);
            return Ok(Err(Unfit::ShelfTooShort { offer_id, on_hand }));
        }
    }
    Ok(Ok(()))
}

async fn put(tx: &Tx, more: location_level::Model) -> Result<(), Failure> {
    let sum = Expr::col((Entity, Column::OnHand)).add(more.on_hand);
    let add =
        OnConflict::columns([Column::OfferId, Column::LocationId]).value(Column::OnHand, sum).to_owned();
    Entity::insert(more.into_active_model()).on_conflict(add).exec_without_returning(tx).await?;
    Ok(())
}

async fn take(tx: &Tx, offer_id: OfferId, location_id: LocationId, pieces: i64) -> Result<bool, Failure> {
    let taken = Entity::update_many()
        .col_expr(Column::OnHand, Expr::col(Column::OnHand).sub(pieces))
        .filter(Column::OfferId.eq(offer_id))
        .filter(Column::LocationId.eq(location_id))
        .filter(Column::OnHand.gte(pieces))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}
