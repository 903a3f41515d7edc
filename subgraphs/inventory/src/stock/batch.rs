//! Many levels at once, for asks: read under their locks, decided on in memory, and written back together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{LocationId, OfferId};
use entity::inventory::stock_level::{self, Column, Entity};
use entity::inventory::{location_level, stock_movement};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::{Move, ROWS_MAX, movement, record, tell};

/// How many pieces of each offer lie where.
pub(crate) type Shelves = HashMap<OfferId, BTreeMap<LocationId, i64>>;

/// Makes all of `moves` on `levels`, which the caller has locked. `shelves` are as the moves leave them.
///
/// # Errors
/// Besides the database's: a level is not the one that was locked, or would fall below zero.
pub(crate) async fn apply(
    tx: &Tx,
    now: DateTime<Utc>,
    levels: Vec<stock_level::Model>,
    shelves: &Shelves,
    moves: Vec<Move>,
) -> Result<(), Failure> {
    if moves.is_empty() {
        return Ok(());
    }
    let moved = moved(levels, &moves);
    write_levels(tx, &moved).await?;
    write_shelves(tx, shelves, &moves).await?;
    record(tx, log(now, moves, &moved)?).await?;
    tell(tx, now, moved).await.map(drop)
}

/// The levels that move, as they are then.
fn moved(levels: Vec<stock_level::Model>, moves: &[Move]) -> Vec<stock_level::Model> {
    let mut deltas: HashMap<OfferId, (i64, i64)> = HashMap::new();
    for one in moves {
        let delta = deltas.entry(one.offer_id).or_default();
        *delta = (delta.0 + one.on_hand_delta, delta.1 + one.reserved_delta);
    }
    let move_one = |level: stock_level::Model| {
        let (on_hand_delta, reserved_delta) = *deltas.get(&level.offer_id)?;
        let (on_hand, reserved) = (level.on_hand + on_hand_delta, level.reserved + reserved_delta);
        let (available, version) = (on_hand - reserved, level.version + 1);
        Some(stock_level::Model { on_hand, reserved, available, version, ..level })
    };
    levels.into_iter().filter_map(move_one).collect()
}

/// One guarded statement: who did not have the lock after all changes nothing. That nothing falls below zero, the table
/// checks itself.
async fn write_levels(tx: &Tx, moved: &[stock_level::Model]) -> Result<(), Failure> {
    let before = Expr::col((Entity, Column::Version)).add(1);
    let replace = OnConflict::column(Column::OfferId)
        .update_columns([Column::OnHand, Column::Reserved, Column::Available, Column::Version])
        .action_and_where(before.eq(Expr::col(("excluded", Column::Version))))
        .to_owned();
    for some in moved.chunks(ROWS_MAX) {
        let rows = some.iter().cloned().map(IntoActiveModel::into_active_model);
        let written = Entity::insert_many(rows).on_conflict(replace.clone()).exec_without_returning(tx);
        if written.await? != some.len() as u64 {
            return Err(Failure::msg("a level changed under its lock"));
        }
    }
    Ok(())
}

/// The lock of a level covers its shelves.
async fn write_shelves(tx: &Tx, shelves: &Shelves, moves: &[Move]) -> Result<(), Failure> {
    let changed: BTreeSet<(OfferId, LocationId)> =
        moves.iter().filter_map(|one| Some((one.offer_id, one.location_id?))).collect();
    let row = |(offer_id, location_id): (OfferId, LocationId)| {
        let on_hand = *shelves.get(&offer_id)?.get(&location_id)?;
        Some(location_level::Model { offer_id, location_id, on_hand }.into_active_model())
    };
    let rows: Vec<_> = changed.into_iter().filter_map(row).collect();
    let replace = OnConflict::columns([location_level::Column::OfferId, location_level::Column::LocationId])
        .update_column(location_level::Column::OnHand)
        .to_owned();
    for some in rows.chunks(ROWS_MAX) {
        location_level::Entity::insert_many(some.iter().cloned())
            .on_conflict(replace.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn log(
    now: DateTime<Utc>,
    moves: Vec<Move>,
    moved: &[stock_level::Model],
) -> Result<Vec<stock_movement::Model>, Failure> {
    let versions: HashMap<OfferId, i64> = moved.iter().map(|level| (level.offer_id, level.version)).collect();
    let entry = |one: Move| {
        let version =
            versions.get(&one.offer_id).ok_or_else(|| Failure::msg("stock without a level moves"))?;
        Ok::<_, Failure>(movement(one, *version, now))
    };
    moves.into_iter().map(entry).collect()
}
