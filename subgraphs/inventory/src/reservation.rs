//! Promises of stock that sellers and admins make, keep or give back; and the sweeper for those nobody came for.

use std::collections::{BTreeMap, BTreeSet};

use chassis::idempotency::Conflict;
use chassis::{Env, Failure, Outcome, Tx, tx};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::inventory::{Line, Shortage};
use contract::text::BadText;
use contract::{OfferId, OrderId, ReservationId};
use entity::inventory::reservation::{self, Column, Entity, State};
use entity::inventory::reservation_line;
use sea_orm::sea_query::{JoinType, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef,
    Select,
};

use crate::asks::{self, settle};
use crate::desk::{Ask, Reservation, ReservedLine};
use crate::keeper::Keeper;
use crate::limits::{LINES_MAX, TTL_SECONDS_MAX, is_quantity};
use crate::offer;

/// Expired reservations given back in one transaction.
const SWEEP_BATCH: u64 = 256;
/// The name of the sweeper in the log of movements.
const SWEEPER: &str = "sweeper";

/// Reserve all lines or none.
#[derive(Clone, Debug)]
pub struct Reserve {
    pub keeper: Keeper,
    pub order_id: Option<OrderId>,
    pub lines: Vec<Line>,
    pub ttl_seconds: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveRefusal {
    #[error("must have 1 to {LINES_MAX} lines")]
    LinesOutOfRange,
    #[error("must be 1 to {}", crate::limits::QUANTITY_MAX)]
    QuantityOutOfRange { line: usize },
    #[error("must be 1 to {TTL_SECONDS_MAX} seconds")]
    TtlOutOfRange,
    #[error("there is no such offer")]
    OfferNotFound { line: usize },
    #[error("not enough stock")]
    InsufficientStock { shortages: Vec<Shortage> },
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for ReserveRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Promises stock until the time is up. Whether an offer is published plays no part: who may buy is for orders to decide.
pub async fn reserve(tx: &Tx, now: DateTime<Utc>, command: Reserve) -> Outcome<Reservation, ReserveRefusal> {
    if let Err(refusal) = check(&command) {
        return Ok(Err(refusal));
    }
    let kept = offer::kept_by(tx, command.keeper, command.lines.iter().map(|line| line.offer_id)).await?;
    let known: BTreeSet<OfferId> = kept.iter().map(|offer| offer.offer_id).collect();
    if let Some(line) = command.lines.iter().position(|line| !known.contains(&line.offer_id)) {
        return Ok(Err(ReserveRefusal::OfferNotFound { line }));
    }
    let ask = crate::desk::Reserve {
        reservation_id: ReservationId::new(),
        order_id: command.order_id,
        seller_id: matches!(command.keeper, Keeper::Seller(_)).then(|| kept[0].seller_id),
        lines: command.lines,
        expires_at: now + TimeDelta::seconds(command.ttl_seconds),
        actor: command.keeper.actor(),
    };
    let reservation = one(settle(tx, now, vec![Ask::Reserve(ask)]).await?)?;
    Ok(match reservation.state {
        State::Rejected => {
            Err(ReserveRefusal::InsufficientStock { shortages: asks::shortages(&reservation) })
        }
        _ => Ok(reservation),
    })
}

fn check(command: &Reserve) -> Result<(), ReserveRefusal> {
    if !(1..=LINES_MAX).contains(&command.lines.len()) {
        return Err(ReserveRefusal::LinesOutOfRange);
    }
    if let Some(line) = command.lines.iter().position(|line| !is_quantity(line.quantity)) {
        return Err(ReserveRefusal::QuantityOutOfRange { line });
    }
    if !(1..=TTL_SECONDS_MAX).contains(&command.ttl_seconds) {
        return Err(ReserveRefusal::TtlOutOfRange);
    }
    Ok(())
}

/// Why a reservation cannot be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitRefusal {
    #[error("there is no such reservation")]
    NotFound,
    #[error("its stock was given back")]
    NotActive,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for CommitRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Takes the reserved pieces off the shelves, the fullest shelf first. A reservation whose time is up can still be
/// committed until the sweeper has given it back. Committing twice is committing once.
pub async fn commit(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: ReservationId,
) -> Outcome<Reservation, CommitRefusal> {
    if find(tx, keeper, id).await?.is_none() {
        return Ok(Err(CommitRefusal::NotFound));
    }
    let ask = Ask::Commit { reservation_id: id, actor: keeper.actor() };
    let reservation = one(settle(tx, now, vec![ask]).await?)?;
    Ok(match reservation.state {
        State::Committed => Ok(reservation),
        _ => Err(CommitRefusal::NotActive),
    })
}

/// Why a reservation cannot be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseRefusal {
    #[error("there is no such reservation")]
    NotFound,
    #[error(transparent)]
    ReasonInvalid(#[from] BadText),
    #[error("its stock was sold")]
    NotActive,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for ReleaseRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Gives the reserved pieces back. Releasing what was given back already is releasing once.
pub async fn release(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: ReservationId,
    reason: String,
) -> Outcome<Reservation, ReleaseRefusal> {
    let reason = match crate::limits::reason(&reason) {
        Ok(reason) => reason,
        Err(why) => return Ok(Err(why.into())),
    };
    if find(tx, keeper, id).await?.is_none() {
        return Ok(Err(ReleaseRefusal::NotFound));
    }
    let ask = Ask::Release { reservation_id: id, actor: keeper.actor(), reason };
    let reservation = one(settle(tx, now, vec![ask]).await?)?;
    Ok(match reservation.state {
        State::Released | State::Expired => Ok(reservation),
        _ => Err(ReleaseRefusal::NotActive),
    })
}

fn one(mut answers: Vec<Reservation>) -> Result<Reservation, Failure> {
    answers.pop().ok_or_else(|| Failure::msg("an ask got no answer"))
}

/// A seller sees the reservations they made, an admin all.
fn visible(keeper: Keeper) -> Select<Entity> {
    Entity::find().filter(keeper.keeps(Column::SellerId))
}

/// The reservation, if it is the keeper's to see.
pub async fn find(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    id: ReservationId,
) -> Result<Option<Reservation>, Failure> {
    let row = visible(keeper).filter(Column::Id.eq(id)).one(db).await?;
    Ok(with_lines(db, row.into_iter().collect()).await?.into_values().next())
}

/// Those of `ids` that exist, locked until the transaction ends, in the order of their ids.
pub(crate) async fn lock(
    tx: &Tx,
    ids: impl Iterator<Item = ReservationId>,
) -> Result<BTreeMap<ReservationId, Reservation>, Failure> {
    let ids: BTreeSet<ReservationId> = ids.collect();
    let to_lines: RelationDef = Entity::belongs_to(reservation_line::Entity)
        .from(Column::Id)
        .to(reservation_line::Column::ReservationId)
        .into();
    let mut found = Entity::find()
        .filter(Column::Id.is_in(ids))
        .order_by_asc(Column::Id)
        .order_by_asc(reservation_line::Column::OfferId)
        .select_also(reservation_line::Entity)
        .join(JoinType::LeftJoin, to_lines);
    // Its lines never change.
    QueryTrait::query(&mut found).lock_with_tables(LockType::Update, [Entity]);
    let mut reservations: BTreeMap<ReservationId, Reservation> = BTreeMap::new();
    for (row, line) in found.all(tx).await? {
        let reservation = reservations.entry(row.id).or_insert_with(|| row.into());
        reservation.lines.extend(line.map(ReservedLine::from));
    }
    Ok(reservations)
}

async fn with_lines(
    db: &impl ConnectionTrait,
    rows: Vec<reservation::Model>,
) -> Result<BTreeMap<ReservationId, Reservation>, Failure> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lines = reservation_line::Entity::find()
        .filter(reservation_line::Column::ReservationId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(reservation_line::Column::OfferId)
        .all(db)
        .await?;
    let mut reservations: BTreeMap<ReservationId, Reservation> =
        rows.into_iter().map(|row| (row.id, row.into())).collect();
    for line in lines {
        if let Some(reservation) = reservations.get_mut(&line.reservation_id) {
            reservation.lines.push(line.into());
        }
    }
    Ok(reservations)
}

impl From<reservation::Model> for Reservation {
    fn from(row: reservation::Model) -> Self {
        Self {
            id: row.id,
            order_id: row.order_id,
            seller_id: row.seller_id,
            state: row.state,
            lines: vec![],
            expires_at: row.expires_at,
            reason: row.reason,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

impl From<reservation_line::Model> for ReservedLine {
    fn from(row: reservation_line::Model) -> Self {
        Self { offer_id: row.offer_id, quantity: row.quantity, short_available: row.short_available }
    }
}

/// Gives back every reservation whose time is up; how many. Two processes that sweep at once share the work.
pub async fn sweep(env: &Env) -> Result<u64, Failure> {
    let mut swept = 0;
    loop {
        let now = env.clock.now();
        // Looking is cheap; only a find takes the write lock.
        if due(now).one(env.db.look()).await?.is_none() {
            return Ok(swept);
        }
        let batch = tx::apply(&env.db, async |tx| sweep_batch(tx, now).await).await?;
        swept += batch;
        if batch < SWEEP_BATCH {
            return Ok(swept);
        }
    }
}

async fn sweep_batch(tx: &Tx, now: DateTime<Utc>) -> Result<u64, Failure> {
    let claimed = due(now)
        .order_by_asc(Column::ExpiresAt)
        .limit(SWEEP_BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let expire = |row: reservation::Model| Ask::Expire { reservation_id: row.id, actor: SWEEPER.into() };
    let swept = settle(tx, now, claimed.into_iter().map(expire).collect()).await?;
    Ok(swept.len() as u64)
}

fn due(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find().filter(Column::State.eq(State::Active)).filter(Column::ExpiresAt.lte(now))
}
