//! Replays the log of movements and compares: whatever the tables say must follow from it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chassis::{Database, Engine, Failure};
use contract::{LocationId, OfferId, ReservationId};
use entity::inventory::reservation::State;
use entity::inventory::{location_level, reservation, reservation_line, stock_level, stock_movement};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IsolationLevel, QueryFilter,
    QueryOrder, QuerySelect, TransactionOptions, TransactionTrait,
};

/// Movements read at once.
const PAGE: u64 = 5_000;
/// Differences that are told; the rest are counted.
const TOLD_MAX: usize = 100;

/// What a check of the books found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub movements: u64,
    pub offers: u64,
    /// The first of the differences; empty: the books are right.
    pub differences: Vec<Difference>,
    pub differences_total: u64,
}

/// Where tables and log contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    #[error("{offer_id}: the level says {level:?}, the log {log:?} (on hand, reserved, version)")]
    Level { offer_id: OfferId, level: (i64, i64, i64), log: (i64, i64, i64) },
    #[error("{offer_id} at {location_id}: the shelf says {shelf}, the log {log}")]
    Shelf { offer_id: OfferId, location_id: LocationId, shelf: i64, log: i64 },
    #[error("{offer_id} in {reservation_id}: the reservation holds {held}, the log {log}")]
    Reservation { offer_id: OfferId, reservation_id: ReservationId, held: i64, log: i64 },
    #[error("{offer_id}: the log jumps from version {from} to {to}")]
    Gap { offer_id: OfferId, from: i64, to: i64 },
    #[error("{offer_id}: the log promises more than there was at version {version}")]
    Oversold { offer_id: OfferId, version: i64 },
}

impl Report {
    pub fn is_right(&self) -> bool {
        self.differences_total == 0
    }

    fn found(&mut self, difference: Difference) {
        self.differences_total += 1;
        if self.differences.len() < TOLD_MAX {
            self.differences.push(difference);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} movements of {} offers replayed", self.movements, self.offers)?;
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        match self.differences_total {
            0 => write!(f, "levels, shelves and reservations follow from the log"),
            total => write!(f, "{total} differences"),
        }
    }
}

/// What the log says, summed up.
#[derive(Default)]
struct Replay {
    /// On hand, reserved, version.
    levels: HashMap<OfferId, (i64, i64, i64)>,
    shelves: HashMap<(OfferId, LocationId), i64>,
    held: HashMap<(OfferId, ReservationId), i64>,
}

/// Compares the tables with the log, all as of one moment, while others go on writing.
pub async fn verify(db: &Database) -> Result<Report, Failure> {
    let moment = TransactionOptions {
        isolation_level: (db.engine() == Engine::Postgres).then_some(IsolationLevel::RepeatableRead),
        access_mode: (db.engine() == Engine::Postgres).then_some(AccessMode::ReadOnly),
        ..Default::default()
    };
    let snapshot = db.read().begin_with_options(moment).await?;
    let mut report = Report::default();
    let replay = replay(&snapshot, &mut report).await?;
    compare_levels(&snapshot, replay.levels, &mut report).await?;
    compare_shelves(&snapshot, replay.shelves, &mut report).await?;
    compare_reservations(&snapshot, replay.held, &mut report).await?;
    snapshot.rollback().await?;
    Ok(report)
}

async fn replay(db: &DatabaseTransaction, report: &mut Report) -> Result<Replay, Failure> {
    let mut replay = Replay::default();
    let mut after = None;
    loop {
        let page = page(db, after).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.offer_id, last.version, last.id));
        for movement in &page {
            replay.take(movement, report);
        }
    }
    for (offer_id, (on_hand, reserved, version)) in &replay.levels {
        check_promise(*offer_id, *on_hand, *reserved, *version, report);
    }
    report.offers = replay.levels.len() as u64;
    Ok(replay)
}

type Place = (OfferId, i64, contract::MovementId);

async fn page(
    db: &impl ConnectionTrait,
    after: Option<Place>,
) -> Result<Vec<stock_movement::Model>, Failure> {
    use stock_movement::Column::{Id, OfferId, Version};
    let mut page = stock_movement::Entity::find()
        .order_by_asc(OfferId)
        .order_by_asc(Version)
        .order_by_asc(Id)
        .limit(PAGE);
    if let Some((offer, version, id)) = after {
        let place = Expr::tuple([Expr::col(OfferId), Expr::col(Version), Expr::col(Id)]);
        page = page.filter(place.gt(Expr::tuple([Expr::val(offer), Expr::val(version), Expr::val(id)])));
    }
    Ok(page.all(db).await?)
}

impl Replay {
    fn take(&mut self, movement: &stock_movement::Model, report: &mut Report) {
        report.movements += 1;
        let (on_hand, reserved, version) = self.levels.entry(movement.offer_id).or_default();
        if movement.version != *version {
            check_promise(movement.offer_id, *on_hand, *reserved, *version, report);
            if movement.version != *version + 1 {
                report.found(Difference::Gap {
                    offer_id: movement.offer_id,
                    from: *version,
                    to: movement.version,
                });
            }
        }
        *on_hand = on_hand.saturating_add(movement.on_hand_delta);
        *reserved = reserved.saturating_add(movement.reserved_delta);
        *version = movement.version;
        if let Some(location) = movement.location_id {
            *self.shelves.entry((movement.offer_id, location)).or_default() += movement.on_hand_delta;
        }
        if let Some(reservation) = movement.reservation_id {
            let key = (movement.offer_id, reservation);
            let held = self.held.entry(key).or_default();
            *held += movement.reserved_delta;
            if *held == 0 {
                self.held.remove(&key);
            }
        }
    }
}

/// After each transaction no more may be promised than lies there.
fn check_promise(offer_id: OfferId, on_hand: i64, reserved: i64, version: i64, report: &mut Report) {
    if reserved < 0 || on_hand < reserved {
        report.found(Difference::Oversold { offer_id, version });
    }
}

async fn compare_levels(
    db: &impl ConnectionTrait,
    mut log: HashMap<OfferId, (i64, i64, i64)>,
    report: &mut Report,
) -> Result<(), Failure> {
    for row in stock_level::Entity::find().all(db).await? {
        let said = log.remove(&row.offer_id).unwrap_or_default();
        let level = (row.on_hand, row.reserved, row.version);
        if said != level {
            report.found(Difference::Level { offer_id: row.offer_id, level, log: said });
        }
    }
    for (offer_id, log) in sorted(log) {
        report.found(Difference::Level { offer_id, level: (0, 0, 0), log });
    }
    Ok(())
}

async fn compare_shelves(
    db: &impl ConnectionTrait,
    mut log: HashMap<(OfferId, LocationId), i64>,
    report: &mut Report,
) -> Result<(), Failure> {
    for row in location_level::Entity::find().all(db).await? {
        let said = log.remove(&(row.offer_id, row.location_id)).unwrap_or_default();
        if said != row.on_hand {
            let (offer_id, location_id) = (row.offer_id, row.location_id);
            report.found(Difference::Shelf { offer_id, location_id, shelf: row.on_hand, log: said });
        }
    }
    for ((offer_id, location_id), log) in sorted(log).into_iter().filter(|(_, log)| *log != 0) {
        report.found(Difference::Shelf { offer_id, location_id, shelf: 0, log });
    }
    Ok(())
}

async fn compare_reservations(
    db: &impl ConnectionTrait,
    mut log: HashMap<(OfferId, ReservationId), i64>,
    report: &mut Report,
) -> Result<(), Failure> {
    let active = reservation_line::Entity::find()
        .join(sea_orm::JoinType::InnerJoin, of_reservation())
        .filter(reservation::Column::State.eq(State::Active));
    for line in active.all(db).await? {
        let said = log.remove(&(line.offer_id, line.reservation_id)).unwrap_or_default();
        if said != line.quantity {
            let (offer_id, reservation_id) = (line.offer_id, line.reservation_id);
            report.found(Difference::Reservation {
                offer_id,
                reservation_id,
                held: line.quantity,
                log: said,
            });
        }
    }
    for ((offer_id, reservation_id), log) in sorted(log) {
        report.found(Difference::Reservation { offer_id, reservation_id, held: 0, log });
    }
    Ok(())
}

fn of_reservation() -> sea_orm::RelationDef {
    reservation_line::Entity::belongs_to(reservation::Entity)
        .from(reservation_line::Column::ReservationId)
        .to(reservation::Column::Id)
        .into()
}

fn sorted<K: Ord, V>(map: HashMap<K, V>) -> BTreeMap<K, V> {
    map.into_iter().collect()
}
