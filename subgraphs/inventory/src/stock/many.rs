//! Levels and shelves of many offers in few statements. The statements are guarded like those for one: a level that does
//! not fit fails the transaction.

use std::collections::BTreeMap;

use chassis::{Failure, Tx};
use contract::{LocationId, OfferId};
use entity::inventory::stock_level;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use super::Move;
use crate::bulk::raise_shelves;
use crate::limits::ON_HAND_MAX;

/// Rows of one statement: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// Changes each level once by the sum of its moves; the levels as they are then.
pub(super) async fn shift_levels(tx: &Tx, moves: &[Move]) -> Result<Vec<stock_level::Model>, Failure> {
    let mut deltas: BTreeMap<OfferId, (i64, i64)> = BTreeMap::new();
    for one in moves {
        let delta = deltas.entry(one.offer_id).or_default();
        *delta = (delta.0 + one.on_hand_delta, delta.1 + one.reserved_delta);
    }
    let deltas: Vec<(OfferId, (i64, i64))> = deltas.into_iter().collect();
    let mut levels = Vec::with_capacity(deltas.len());
    for some in deltas.chunks(ROWS_MAX) {
        let rows = some.iter().map(|(id, (on_hand, reserved))| {
            [Value::from(*id), (*on_hand).into(), (*reserved).into(), (on_hand - reserved).into()]
        });
        let (given, values) = given(rows);
        let sql = format!(
            "with delta(id, pieces, promised, free) as (values {given}) \
             update stock_level set on_hand = on_hand + delta.pieces, reserved = reserved + delta.promised, \
             available = available + delta.free, version = version + 1 from delta \
             where offer_id = delta.id and available + delta.free >= 0 and reserved + delta.promised >= 0 \
             and on_hand + delta.pieces <= {ON_HAND_MAX} returning offer_id, on_hand, reserved, available, version"
        );
        let shifted = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        let shifted = stock_level::Model::find_by_statement(shifted).all(tx).await?;
        if shifted.len() < some.len() {
            return Err(Failure::msg("a level changed under its lock"));
        }
        levels.extend(shifted);
    }
    levels.sort_unstable_by_key(|level| level.offer_id);
    Ok(levels)
}

/// Changes each shelf once by the sum of its moves.
pub(super) async fn shift_shelves(tx: &Tx, moves: &[Move]) -> Result<(), Failure> {
    let mut deltas: BTreeMap<(OfferId, LocationId), i64> = BTreeMap::new();
    for one in moves {
        if let Some(location) = one.location_id {
            *deltas.entry((one.offer_id, location)).or_default() += one.on_hand_delta;
        }
    }
    let (more, less): (Vec<_>, Vec<_>) = deltas.into_iter().partition(|(_, delta)| *delta >= 0);
    raise_shelves(tx, more.into_iter().filter(|(_, delta)| *delta > 0).collect()).await?;
    for some in less.chunks(ROWS_MAX) {
        let rows = some.iter().map(|((offer, location), delta)| {
            [Value::from(*offer), Value::from(*location), Value::from(-*delta)]
        });
        let (given, values) = given(rows);
        let sql = format!(
            "with taken(offer, location, pieces) as (values {given}) \
             update location_level set on_hand = on_hand - taken.pieces from taken \
             where offer_id = taken.offer and location_id = taken.location and on_hand >= taken.pieces"
        );
        let taken = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        if tx.execute_raw(taken).await?.rows_affected() < some.len() as u64 {
            return Err(Failure::msg("a shelf changed under its level's lock"));
        }
    }
    Ok(())
}

/// Placeholders for rows, `($1, $2), ($3, $4)`, and their values.
fn given<const N: usize>(rows: impl Iterator<Item = [Value; N]>) -> (String, Vec<Value>) {
    let values: Vec<Value> = rows.flatten().collect();
    let row = |first: usize| {
        let places: Vec<String> = (first..first + N).map(|number| format!("${}", number + 1)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..values.len()).step_by(N).map(row).collect();
    (rows.join(", "), values)
}
