//! What payments says of holds: when the last is there the bid can be sent; when one cannot be had, nothing is held; when one
//! is gone, the bid must leave.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::payments::{HoldChanged, HoldStanding};
use contract::{HoldingId, PaymentId};
use entity::bidding::holding::{Column, Entity, Model, State};
use entity::bidding::holding_piece::{self, State as Piece};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::give_up_pieces;

/// Takes over how holds stand. The bids that they are for are locked in the order of their ids.
pub async fn hear(tx: &Tx, now: DateTime<Utc>, changes: Vec<&HoldChanged>) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let ids = changes.iter().map(|change| change.payment_id);
    let pieces = holding_piece::Entity::find().filter(holding_piece::Column::PaymentId.is_in(ids));
    let pieces: BTreeMap<PaymentId, HoldingId> =
        pieces.all(tx).await?.into_iter().map(|piece| (piece.payment_id, piece.holding_id)).collect();
    let rows = lock(tx, pieces.values().copied().collect()).await?;
    for change in changes {
        let Some(row) = pieces.get(&change.payment_id).and_then(|id| rows.get(id)) else { continue };
        match &change.standing {
            HoldStanding::Held { until } => held(tx, row, change.payment_id, *until).await?,
            HoldStanding::Refused { code, message } => {
                refused(tx, now, row, code, message).await.map(drop)?
            }
            HoldStanding::Gone => gone(tx, now, row, change.payment_id).await?,
        }
    }
    Ok(())
}

/// The bids' rows, locked until the transaction ends.
pub(crate) async fn lock(tx: &Tx, ids: BTreeSet<HoldingId>) -> Result<BTreeMap<HoldingId, Model>, Failure> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).lock_exclusive();
    Ok(rows.all(tx).await?.into_iter().map(|row| (row.id, row)).collect())
}

async fn held(tx: &Tx, row: &Model, id: PaymentId, until: DateTime<Utc>) -> Result<(), Failure> {
    holding_piece::Entity::update_many()
        .col_expr(holding_piece::Column::State, Expr::val(Piece::Held.to_value()))
        .col_expr(holding_piece::Column::HeldUntil, Expr::val(until))
        .filter(holding_piece::Column::PaymentId.eq(id))
        .filter(holding_piece::Column::State.eq(Piece::Asked))
        .exec(tx)
        .await?;
    let all = holding_piece::Entity::find().filter(holding_piece::Column::HoldingId.eq(row.id));
    let all = all.all(tx).await?;
    if all.iter().any(|piece| piece.state != Piece::Held) {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Held.to_value()))
        .col_expr(Column::HeldUntil, Expr::val(all.iter().filter_map(|piece| piece.held_until).min()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(State::Asked))
        .exec(tx)
        .await?;
    Ok(())
}

/// All or nothing: what is held for the other pieces is given up. `false`: the bid is in the book, or has ended.
async fn refused(
    tx: &Tx,
    now: DateTime<Utc>,
    row: &Model,
    code: &str,
    message: &str,
) -> Result<bool, Failure> {
    let declined = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Declined.to_value()))
        .col_expr(Column::Code, Expr::val(code))
        .col_expr(Column::Message, Expr::val(message))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.is_in([State::Asked, State::Held]))
        .exec(tx)
        .await?;
    if declined.rows_affected == 0 {
        return Ok(false);
    }
    give_up_pieces(tx, now, row, "another piece could not be held for").await?;
    Ok(true)
}

/// The provider let a hold go, or we did and know it.
async fn gone(tx: &Tx, now: DateTime<Utc>, row: &Model, id: PaymentId) -> Result<(), Failure> {
    let lost = holding_piece::Entity::update_many()
        .col_expr(holding_piece::Column::State, Expr::val(Piece::Freed.to_value()))
        .filter(holding_piece::Column::PaymentId.eq(id))
        .filter(holding_piece::Column::State.is_in([Piece::Asked, Piece::Held]))
        .exec(tx)
        .await?;
    if lost.rows_affected == 0 || refused(tx, now, row, "hold_lapsed", "the hold was let go").await? {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::Lapsed, Expr::val(true))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(State::Placed))
        .exec(tx)
        .await?;
    Ok(())
}
