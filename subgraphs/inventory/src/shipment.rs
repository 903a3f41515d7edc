//! Stock on its way to a location: planned, then received or cancelled.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chassis::idempotency::Conflict;
use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::Line;
use contract::text::BadText;
use contract::{LocationId, OfferId, SellerId, ShipmentId};
use entity::inventory::inbound_shipment::{self, Column, Entity, State};
use entity::inventory::inbound_shipment_line as line_row;
use entity::inventory::stock_movement::Kind;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select};
use serde::{Deserialize, Serialize};

use crate::keeper::Keeper;
use crate::limits::{self, LINES_MAX, QUANTITY_MAX, is_quantity};
use crate::stock::{self, Cause, Move};
use crate::{location, offer};

/// Stock on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub id: ShipmentId,
    pub seller_id: SellerId,
    pub location_id: LocationId,
    pub state: State,
    pub reference: Option<String>,
    pub expected_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub lines: Vec<ShippedLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippedLine {
    pub offer_id: OfferId,
    pub expected: i64,
    /// `None` until the shipment is received.
    pub received: Option<i64>,
}

/// Announce a shipment. Lines of one offer count together.
#[derive(Clone, Debug)]
pub struct Plan {
    pub keeper: Keeper,
    pub location_id: LocationId,
    pub reference: Option<String>,
    pub expected_at: Option<DateTime<Utc>>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    #[error("must have 1 to {LINES_MAX} lines")]
    LinesOutOfRange,
    #[error("must be 1 to {QUANTITY_MAX}")]
    QuantityOutOfRange { line: usize },
    #[error(transparent)]
    ReferenceInvalid(#[from] BadText),
    #[error("there is no such location")]
    LocationNotFound,
    #[error("the location is closed")]
    LocationClosed,
    #[error("the location's shop has no such offer")]
    OfferNotFound { line: usize },
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for PlanRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

pub async fn plan(tx: &Tx, now: DateTime<Utc>, command: Plan) -> Outcome<Shipment, PlanRefusal> {
    if let Err(refusal) = check(&command) {
        return Ok(Err(refusal));
    }
    let Some(location) = location::find(tx, command.keeper, command.location_id).await? else {
        return Ok(Err(PlanRefusal::LocationNotFound));
    };
    if !location.open {
        return Ok(Err(PlanRefusal::LocationClosed));
    }
    let offers = offer::kept_by(tx, command.keeper, command.lines.iter().map(|line| line.offer_id)).await?;
    let of_shop = offers.iter().filter(|offer| offer.seller_id == location.seller_id);
    let of_shop: BTreeSet<OfferId> = of_shop.map(|offer| offer.offer_id).collect();
    if let Some(line) = command.lines.iter().position(|line| !of_shop.contains(&line.offer_id)) {
        return Ok(Err(PlanRefusal::OfferNotFound { line }));
    }
    let shipment = planned(now, location.seller_id, command);
    insert(tx, &shipment).await?;
    Ok(Ok(shipment))
}

fn check(command: &Plan) -> Result<(), PlanRefusal> {
    if !(1..=LINES_MAX).contains(&command.lines.len()) {
        return Err(PlanRefusal::LinesOutOfRange);
    }
    if let Some(line) = command.lines.iter().position(|line| !is_quantity(line.quantity)) {
        return Err(PlanRefusal::QuantityOutOfRange { line });
    }
    limits::optional_reason(command.reference.as_deref())?;
    Ok(())
}

fn planned(now: DateTime<Utc>, seller_id: SellerId, command: Plan) -> Shipment {
    let mut lines: BTreeMap<OfferId, i64> = BTreeMap::new();
    for line in command.lines {
        *lines.entry(line.offer_id).or_default() += line.quantity;
    }
    let line = |(offer_id, expected)| ShippedLine { offer_id, expected, received: None };
    Shipment {
        id: ShipmentId::new(),
        seller_id,
        location_id: command.location_id,
        state: State::Expected,
        reference: command.reference,
        expected_at: command.expected_at,
        created_at: now,
        closed_at: None,
        lines: lines.into_iter().map(line).collect(),
    }
}

async fn insert(tx: &Tx, shipment: &Shipment) -> Result<(), Failure> {
    let row = inbound_shipment::Model {
        id: shipment.id,
        seller_id: shipment.seller_id,
        location_id: shipment.location_id,
        state: shipment.state,
        reference: shipment.reference.clone(),
        expected_at: shipment.expected_at,
        created_at: shipment.created_at,
        closed_at: shipment.closed_at,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    let lines = shipment.lines.iter().map(|line| {
        let ShippedLine { offer_id, expected, received } = *line;
        line_row::Model { shipment_id: shipment.id, offer_id, expected, received }.into_active_model()
    });
    line_row::Entity::insert_many(lines).exec_without_returning(tx).await?;
    Ok(())
}

/// Take a shipment in. An offer that `counted` does not name came as planned.
#[derive(Clone, Debug)]
pub struct Receive {
    pub keeper: Keeper,
    pub id: ShipmentId,
    pub counted: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveRefusal {
    #[error("there is no such shipment")]
    NotFound,
    #[error("the shipment was received or cancelled already")]
    NotExpected,
    #[error("must have at most {LINES_MAX} lines, each offer once")]
    LinesOutOfRange,
    #[error("must be 0 to {QUANTITY_MAX}")]
    QuantityOutOfRange { line: usize },
    #[error("the shipment has no such offer")]
    OfferNotFound { line: usize },
    #[error("the location is closed")]
    LocationClosed,
    #[error("an offer has at most {} pieces", crate::limits::ON_HAND_MAX)]
    TooMuch,
    #[error("the idempotency key was used with another request")]
    IdempotencyConflict,
}

impl From<Conflict> for ReceiveRefusal {
    fn from(_: Conflict) -> Self {
        Self::IdempotencyConflict
    }
}

pub async fn receive(tx: &Tx, now: DateTime<Utc>, command: Receive) -> Outcome<Shipment, ReceiveRefusal> {
    let Some(mut shipment) = find(tx, command.keeper, command.id).await? else {
        return Ok(Err(ReceiveRefusal::NotFound));
    };
    if let Err(refusal) = fill_in(&mut shipment, &command.counted) {
        return Ok(Err(refusal));
    }
    let location = location::find(tx, command.keeper, shipment.location_id).await?;
    if !location.is_some_and(|location| location.open) {
        return Ok(Err(ReceiveRefusal::LocationClosed));
    }
    if !close(tx, now, &mut shipment, State::Received).await? {
        return Ok(Err(ReceiveRefusal::NotExpected));
    }
    for line in &shipment.lines {
        line_row::Entity::update_many()
            .col_expr(line_row::Column::Received, Expr::val(line.received))
            .filter(line_row::Column::ShipmentId.eq(shipment.id))
            .filter(line_row::Column::OfferId.eq(line.offer_id))
            .exec(tx)
            .await?;
    }
    let moved = stock::apply(tx, now, arrivals(&shipment, command.keeper)).await?;
    Ok(moved.map(|_| shipment).map_err(|_| ReceiveRefusal::TooMuch))
}

/// Writes what was counted, or else expected, into the shipment's lines.
fn fill_in(shipment: &mut Shipment, counted: &[Line]) -> Result<(), ReceiveRefusal> {
    let by_offer: HashMap<OfferId, i64> = counted.iter().map(|line| (line.offer_id, line.quantity)).collect();
    if counted.len() > LINES_MAX || by_offer.len() < counted.len() {
        return Err(ReceiveRefusal::LinesOutOfRange);
    }
    if let Some(line) = counted.iter().position(|line| line.quantity != 0 && !is_quantity(line.quantity)) {
        return Err(ReceiveRefusal::QuantityOutOfRange { line });
    }
    let planned: BTreeSet<OfferId> = shipment.lines.iter().map(|line| line.offer_id).collect();
    if let Some(line) = counted.iter().position(|line| !planned.contains(&line.offer_id)) {
        return Err(ReceiveRefusal::OfferNotFound { line });
    }
    for line in &mut shipment.lines {
        line.received = Some(by_offer.get(&line.offer_id).copied().unwrap_or(line.expected));
    }
    Ok(())
}

fn arrivals(shipment: &Shipment, keeper: Keeper) -> Vec<Move> {
    let arrived = shipment.lines.iter().filter_map(|line| {
        let on_hand_delta = line.received.filter(|pieces| *pieces > 0)?;
        Some(Move {
            offer_id: line.offer_id,
            location_id: Some(shipment.location_id),
            kind: Kind::Received,
            on_hand_delta,
            reserved_delta: 0,
            cause: Cause {
                actor: keeper.actor(),
                reason: shipment.reference.clone(),
                shipment_id: Some(shipment.id),
                ..Default::default()
            },
        })
    });
    arrived.collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelRefusal {
    #[error("there is no such shipment")]
    NotFound,
    #[error("the shipment was received or cancelled already")]
    NotExpected,
}

pub async fn cancel(
    tx: &Tx,
    now: DateTime<Utc>,
    keeper: Keeper,
    id: ShipmentId,
) -> Outcome<Shipment, CancelRefusal> {
    let Some(mut shipment) = find(tx, keeper, id).await? else {
        return Ok(Err(CancelRefusal::NotFound));
    };
    Ok(match close(tx, now, &mut shipment, State::Cancelled).await? {
        true => Ok(shipment),
        false => Err(CancelRefusal::NotExpected),
    })
}

/// Moves a shipment out of `Expected`. Of two who try, one does.
async fn close(tx: &Tx, now: DateTime<Utc>, shipment: &mut Shipment, state: State) -> Result<bool, Failure> {
    let closed = Entity::update_many()
        .col_expr(Column::State, Expr::val(state))
        .col_expr(Column::ClosedAt, Expr::val(now))
        .filter(Column::Id.eq(shipment.id))
        .filter(Column::State.eq(State::Expected))
        .exec(tx)
        .await?;
    (shipment.state, shipment.closed_at) = (state, Some(now));
    Ok(closed.rows_affected == 1)
}

/// The shipments that are the keeper's to see.
pub fn kept_by(keeper: Keeper) -> Select<Entity> {
    Entity::find().filter(keeper.keeps(Column::SellerId))
}

async fn find(
    db: &impl ConnectionTrait,
    keeper: Keeper,
    id: ShipmentId,
) -> Result<Option<Shipment>, Failure> {
    let row = kept_by(keeper).filter(Column::Id.eq(id)).one(db).await?;
    Ok(with_lines(db, row.into_iter().collect()).await?.pop())
}

/// Adds the lines of all rows, with one statement.
pub async fn with_lines(
    db: &impl ConnectionTrait,
    rows: Vec<inbound_shipment::Model>,
) -> Result<Vec<Shipment>, Failure> {
    let lines = line_row::Entity::find()
        .filter(line_row::Column::ShipmentId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(line_row::Column::OfferId)
        .all(db)
        .await?;
    let mut by_shipment: HashMap<ShipmentId, Vec<ShippedLine>> = HashMap::new();
    for line in lines {
        let shipped =
            ShippedLine { offer_id: line.offer_id, expected: line.expected, received: line.received };
        by_shipment.entry(line.shipment_id).or_default().push(shipped);
    }
    let shipments = rows.into_iter().map(|row| Shipment {
        lines: by_shipment.remove(&row.id).unwrap_or_default(),
        id: row.id,
        seller_id: row.seller_id,
        location_id: row.location_id,
        state: row.state,
        reference: row.reference,
        expected_at: row.expected_at,
        created_at: row.created_at,
        closed_at: row.closed_at,
    });
    Ok(shipments.collect())
}
