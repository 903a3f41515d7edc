//! Receiving very many lines at once, for imports and the demo: few statements for thousands of offers.

use std::collections::{BTreeMap, BTreeSet};

use chassis::idempotency::{self, Conflict, Request};
use chassis::{Denied, Env, Failure, Outcome, Tx, tx};
use chrono::{DateTime, Utc};
use contract::{LocationId, OfferId};
use entity::inventory::stock_movement::Kind;
use entity::inventory::{location, location_level, offer, stock_level};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use serde::Serialize;

use crate::keeper::Keeper;
use crate::limits::is_quantity;
use crate::stock::{self, Cause, Move};

/// Rows of one statement: SQLite takes at most 32,766 values.
const ROWS_MAX: usize = 1_000;
/// Lines of one call, so that a transaction stays short.
pub const ARRIVALS_MAX: usize = 50_000;

/// Pieces that arrived at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Arrival {
    pub offer_id: OfferId,
    pub location_id: LocationId,
    pub quantity: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveManyRefusal {
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("a call takes at most {ARRIVALS_MAX} lines")]
    TooManyLines,
    #[error("line {line} has a quantity out of range")]
    QuantityOutOfRange { line: usize },
    #[error("{missing} of the offers are not known")]
    OffersUnknown { missing: u64 },
    #[error("{missing} of the locations are not known")]
    LocationsUnknown { missing: u64 },
    #[error("the key was used with other lines")]
    IdempotencyConflict,
}

impl From<Conflict> for ReceiveManyRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

/// Receives `lines` in one transaction, once per `key`; how many offers changed. Trusts the caller with whose stock and
/// which shop's location it is: not for requests from outside.
pub async fn receive_many(
    env: &Env,
    keeper: Keeper,
    key: &str,
    lines: Vec<Arrival>,
) -> Outcome<u64, ReceiveManyRefusal> {
    if lines.len() > ARRIVALS_MAX {
        return Ok(Err(ReceiveManyRefusal::TooManyLines));
    }
    if let Some(line) = lines.iter().position(|line| !is_quantity(line.quantity)) {
        return Ok(Err(ReceiveManyRefusal::QuantityOutOfRange { line }));
    }
    let request = match Request::new("receive_many", keeper.actor(), key, &lines) {
        Ok(request) => request,
        Err(denied) => return Ok(Err(denied.into())),
    };
    let now = env.clock.now();
    tx::run(&env.db, async |tx| idempotency::once(tx, now, request, || receive(tx, now, keeper, lines)).await)
        .await
}

async fn receive(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    lines: Vec<Arrival>,
) -> Outcome<u64, ReceiveManyRefusal> {
    if let Err(refusal) = check(tx, &lines).await? {
        return Ok(Err(refusal));
    }
    take_in(tx, now, lines.into_iter().map(|line| arrival(line, keeper)).collect()).await.map(Ok)
}

/// Puts received pieces on their shelves; how many offers changed. Each move has a location and adds pieces.
pub(crate) async fn take_in(tx: &Tx, now: DateTime<Utc>, arrivals: Vec<Move>) -> Result<u64, Failure> {
    let mut arrived: BTreeMap<OfferId, i64> = BTreeMap::new();
    let mut shelved: BTreeMap<(OfferId, LocationId), i64> = BTreeMap::new();
    for one in &arrivals {
        let location = one.location_id.ok_or_else(|| Failure::msg("pieces arrive at a location"))?;
        *arrived.entry(one.offer_id).or_default() += one.on_hand_delta;
        *shelved.entry((one.offer_id, location)).or_default() += one.on_hand_delta;
    }
    let levels = raise_levels(tx, arrived.into_iter().collect()).await?;
    raise_shelves(tx, shelved.into_iter().collect()).await?;
    let versions: BTreeMap<OfferId, i64> =
        levels.iter().map(|level| (level.offer_id, level.version)).collect();
    let log = arrivals.into_iter().map(|one| {
        let version = versions[&one.offer_id];
        stock::movement(one, version, now)
    });
    stock::record(tx, log.collect()).await?;
    let told = stock::tell(tx, now, levels).await?;
    Ok(told.len() as u64)
}

async fn check(tx: &Tx, lines: &[Arrival]) -> Outcome<(), ReceiveManyRefusal> {
    let offers: Vec<OfferId> =
        lines.iter().map(|line| line.offer_id).collect::<BTreeSet<_>>().into_iter().collect();
    let locations: BTreeSet<LocationId> = lines.iter().map(|line| line.location_id).collect();
    let mut known = 0;
    for some in offers.chunks(ROWS_MAX) {
        let these = offer::Entity::find().filter(offer::Column::OfferId.is_in(some.iter().copied()));
        known += these.count(tx).await?;
    }
    if known < offers.len() as u64 {
        return Ok(Err(ReceiveManyRefusal::OffersUnknown { missing: offers.len() as u64 - known }));
    }
    let there = location::Entity::find().filter(location::Column::Id.is_in(locations.iter().copied()));
    let missing = locations.len() as u64 - there.count(tx).await?;
    Ok(if missing == 0 { Ok(()) } else { Err(ReceiveManyRefusal::LocationsUnknown { missing }) })
}

async fn raise_levels(tx: &Tx, arrived: Vec<(OfferId, i64)>) -> Result<Vec<stock_level::Model>, Failure> {
    let sum = |column: stock_level::Column| {
        Expr::col((stock_level::Entity, column)).add(Expr::col(("excluded", column)))
    };
    let add = OnConflict::column(stock_level::Column::OfferId)
        .values([
            (stock_level::Column::OnHand, sum(stock_level::Column::OnHand)),
            (stock_level::Column::Available, sum(stock_level::Column::Available)),
            (stock_level::Column::Version, sum(stock_level::Column::Version)),
        ])
        .to_owned();
    let mut levels = Vec::with_capacity(arrived.len());
    for some in arrived.chunks(ROWS_MAX) {
        let rows = some.iter().map(|(offer_id, pieces)| {
            let level = stock_level::Model {
                offer_id: *offer_id,
                on_hand: *pieces,
                reserved: 0,
                available: *pieces,
                version: 1,
            };
            level.into_active_model()
        });
        let raised =
            stock_level::Entity::insert_many(rows).on_conflict(add.clone()).exec_with_returning(tx).await?;
        levels.extend(raised);
    }
    Ok(levels)
}

pub(crate) async fn raise_shelves(
    tx: &Tx,
    shelved: Vec<((OfferId, LocationId), i64)>,
) -> Result<(), Failure> {
    let sum = Expr::col((location_level::Entity, location_level::Column::OnHand))
        .add(Expr::col(("excluded", location_level::Column::OnHand)));
    let add = OnConflict::columns([location_level::Column::OfferId, location_level::Column::LocationId])
        .value(location_level::Column::OnHand, sum)
        .to_owned();
    for some in shelved.chunks(ROWS_MAX) {
        let rows = some.iter().map(|((offer_id, location_id), pieces)| {
            let shelf =
                location_level::Model { offer_id: *offer_id, location_id: *location_id, on_hand: *pieces };
            shelf.into_active_model()
        });
        location_level::Entity::insert_many(rows).on_conflict(add.clone()).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn arrival(line: Arrival, keeper: Keeper) -> Move {
    Move {
        offer_id: line.offer_id,
        location_id: Some(line.location_id),
        kind: Kind::Received,
        on_hand_delta: line.quantity,
        reserved_delta: 0,
        cause: Cause { actor: keeper.actor(), ..Default::default() },
    }
}
