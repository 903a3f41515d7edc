//! A batch of asks in one transaction: lock and read once, decide at the [`Desk`], write once. That is what makes a hot
//! offer fast: a thousand buyers share a commit, and nobody waits for a lock per buyer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::{Shortage, StockCommitted, StockRejected, StockReleased, StockReserved};
use contract::{Aggregate, Event, OfferId, ReservationId};
use entity::inventory::reservation::State;
use entity::inventory::{location_level, reservation, reservation_line, stock_level};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::desk::{Ask, Desk, Reservation};
use crate::reservation as reservations;
use crate::stock::batch::{self, Shelves};

/// Rows of one insert: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;

/// Answers `asks` in their order and says every answer. Each ask is all or nothing by itself; a reservation's id decides
/// whether it was answered before.
///
/// # Errors
/// Besides the database's: the shelves contradict the level.
pub async fn settle(tx: &Tx, now: DateTime<Utc>, asks: Vec<Ask>) -> Result<Vec<Reservation>, Failure> {
    if asks.is_empty() {
        return Ok(vec![]);
    }
    let (mut desk, levels) = open(tx, &asks).await?;
    let before: HashMap<ReservationId, State> =
        desk.reservations.iter().map(|(id, reservation)| (*id, reservation.state)).collect();
    let answers = asks.into_iter().map(|ask| desk.answer(now, ask)).collect::<Result<Vec<_>, _>>()?;
    store(tx, &before, &desk.reservations).await?;
    batch::apply(tx, now, levels, &desk.shelves, desk.moves).await?;
    outbox::say_all(tx, now, answers.iter().map(answer).collect()).await?;
    Ok(answers)
}

/// Locks reservations first, levels second, each in the order of their ids: whoever does the same never waits in a circle.
async fn open(tx: &Tx, asks: &[Ask]) -> Result<(Desk, Vec<stock_level::Model>), Failure> {
    let reservations = reservations::lock(tx, asks.iter().map(Ask::reservation_id)).await?;
    let mut offers: BTreeSet<OfferId> =
        reservations.values().flat_map(|known| known.lines.iter().map(|line| line.offer_id)).collect();
    for ask in asks {
        if let Ask::Reserve(reserve) = ask {
            offers.extend(reserve.lines.iter().map(|line| line.offer_id));
        }
    }
    let levels = stock_level::Entity::find()
        .filter(stock_level::Column::OfferId.is_in(offers.iter().copied()))
        .order_by_asc(stock_level::Column::OfferId)
        .lock_exclusive()
        .all(tx)
        .await?;
    let shelves = match asks.iter().any(|ask| matches!(ask, Ask::Commit { .. })) {
        true => shelves(tx, &offers).await?,
        false => Shelves::new(),
    };
    let available = levels.iter().map(|level| (level.offer_id, level.available)).collect();
    Ok((Desk { available, shelves, reservations, moves: vec![] }, levels))
}

async fn shelves(tx: &Tx, offers: &BTreeSet<OfferId>) -> Result<Shelves, Failure> {
    let rows = location_level::Entity::find()
        .filter(location_level::Column::OfferId.is_in(offers.iter().copied()))
        .all(tx)
        .await?;
    let mut shelves = Shelves::new();
    for row in rows {
        shelves.entry(row.offer_id).or_default().insert(row.location_id, row.on_hand);
    }
    Ok(shelves)
}

async fn store(
    tx: &Tx,
    before: &HashMap<ReservationId, State>,
    after: &BTreeMap<ReservationId, Reservation>,
) -> Result<(), Failure> {
    let (known, new): (Vec<_>, Vec<_>) =
        after.values().partition(|reservation| before.contains_key(&reservation.id));
    insert(tx, &new).await?;
    let mut changed: BTreeMap<(State, Option<&str>), Vec<ReservationId>> = BTreeMap::new();
    for reservation in known.into_iter().filter(|known| before[&known.id] != known.state) {
        changed.entry((reservation.state, reservation.reason.as_deref())).or_default().push(reservation.id);
    }
    for ((state, reason), ids) in changed {
        settle_rows(tx, state, reason, ids).await?;
    }
    Ok(())
}

async fn insert(tx: &Tx, new: &[&Reservation]) -> Result<(), Failure> {
    let rows: Vec<_> = new.iter().map(|reservation| row(reservation).into_active_model()).collect();
    for some in rows.chunks(ROWS_MAX) {
        reservation::Entity::insert_many(some.iter().cloned()).exec_without_returning(tx).await?;
    }
    let lines: Vec<_> =
        new.iter().flat_map(|reservation| lines(reservation)).map(|line| line.into_active_model()).collect();
    for some in lines.chunks(ROWS_MAX) {
        reservation_line::Entity::insert_many(some.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}

async fn settle_rows(
    tx: &Tx,
    state: State,
    reason: Option<&str>,
    ids: Vec<ReservationId>,
) -> Result<(), Failure> {
    let wanted = ids.len() as u64;
    let settled = reservation::Entity::update_many()
        .col_expr(reservation::Column::State, Expr::val(state))
        .col_expr(reservation::Column::Reason, Expr::val(reason))
        .col_expr(reservation::Column::Version, Expr::col(reservation::Column::Version).add(1))
        .filter(reservation::Column::Id.is_in(ids))
        .filter(reservation::Column::State.eq(State::Active))
        .exec(tx)
        .await?;
    match settled.rows_affected == wanted {
        true => Ok(()),
        false => Err(Failure::msg("a reservation changed under its lock")),
    }
}

fn row(reservation: &Reservation) -> reservation::Model {
    reservation::Model {
        id: reservation.id,
        order_id: reservation.order_id,
        seller_id: reservation.seller_id,
        state: reservation.state,
        expires_at: reservation.expires_at,
        reason: reservation.reason.clone(),
        version: reservation.version,
        created_at: reservation.created_at,
    }
}

fn lines(reservation: &Reservation) -> impl Iterator<Item = reservation_line::Model> {
    reservation.lines.iter().map(|line| reservation_line::Model {
        reservation_id: reservation.id,
        offer_id: line.offer_id,
        quantity: line.quantity,
        short_available: line.short_available,
    })
}

/// What an answered reservation has to say.
fn answer(reservation: &Reservation) -> (Aggregate, Event) {
    let (reservation_id, order_id) = (reservation.id, reservation.order_id);
    let event = match reservation.state {
        State::Active => {
            StockReserved { reservation_id, order_id, expires_at: reservation.expires_at }.into()
        }
        State::Rejected => {
            StockRejected { reservation_id, order_id, shortages: shortages(reservation) }.into()
        }
        State::Committed => StockCommitted { reservation_id, order_id }.into(),
        State::Released | State::Expired => {
            let reason = reservation.reason.clone().unwrap_or_default();
            StockReleased { reservation_id, order_id, reason }.into()
        }
    };
    (about("reservation", reservation_id, reservation.version), event)
}

/// The lines that could not be met.
pub fn shortages(reservation: &Reservation) -> Vec<Shortage> {
    let short = reservation.lines.iter().filter_map(|line| {
        let available = line.short_available?;
        Some(Shortage { offer_id: line.offer_id, requested: line.quantity, available })
    });
    short.collect()
}
