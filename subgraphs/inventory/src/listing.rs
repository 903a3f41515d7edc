//! What catalog asks about the stock of its offers: pieces of a new listing arrive, two offers become one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chassis::outbox::{self, about};
use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::{MoveStock, ReceiveStock, RefusedBecause, StockReceived, StockRefused};
use contract::{Aggregate, Event, LocationId, OfferId, SellerId, ShipmentId};
use entity::inventory::inbound_shipment::{self, State};
use entity::inventory::stock_movement::Kind;
use entity::inventory::{inbound_shipment_line, location, location_level, offer, stock_level};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::bulk;
use crate::limits::{ON_HAND_MAX, is_quantity};
use crate::stock::{self, Cause, Move};

/// The location of a seller who lists something before opening one.
const FIRST_LOCATION: &str = "Store room";
/// What a shipment that came with a listing refers to.
const REFERENCE: &str = "listing";

/// An ask and where its pieces go.
type Placed<'a> = (&'a ReceiveStock, LocationId);

/// Puts the pieces of all asks on shelves, with few statements, and answers each: received, or why not. An ask whose
/// shipment is there was answered before; it gets that answer again.
pub async fn receive(tx: &Tx, now: DateTime<Utc>, asks: Vec<&ReceiveStock>) -> Result<(), Failure> {
    if asks.is_empty() {
        return Ok(());
    }
    let before = answered(tx, &asks).await?;
    let mut answers: Vec<(Aggregate, Event)> =
        before.values().map(|known| received(known.0, known.1)).collect();
    let mut seen: HashSet<ShipmentId> = before.keys().copied().collect();
    let fresh: Vec<&ReceiveStock> = asks.into_iter().filter(|ask| seen.insert(ask.shipment_id)).collect();
    let (placed, refused) = place(tx, now, fresh).await?;
    let (fit, too_much) = fitting(tx, placed).await?;
    write(tx, now, &fit).await?;
    answers.extend(fit.iter().map(|(ask, location)| received(ask, *location)));
    answers.extend(refused.into_iter().chain(too_much).map(|(ask, because)| refusal(ask, because)));
    outbox::say_all(tx, now, answers).await
}

/// Those whose pieces were received before, and where.
async fn answered<'a>(
    tx: &Tx,
    asks: &[&'a ReceiveStock],
) -> Result<HashMap<ShipmentId, Placed<'a>>, Failure> {
    let known = inbound_shipment::Entity::find()
        .filter(inbound_shipment::Column::Id.is_in(asks.iter().map(|ask| ask.shipment_id)))
        .all(tx)
        .await?;
    let places: HashMap<ShipmentId, LocationId> =
        known.into_iter().map(|shipment| (shipment.id, shipment.location_id)).collect();
    let again = asks.iter().filter_map(|ask| Some((ask.shipment_id, (*ask, *places.get(&ask.shipment_id)?))));
    Ok(again.collect())
}

/// Finds a shelf for each.
async fn place<'a>(
    tx: &Tx,
    now: DateTime<Utc>,
    asks: Vec<&'a ReceiveStock>,
) -> Result<(Vec<Placed<'a>>, Vec<(&'a ReceiveStock, RefusedBecause)>), Failure> {
    let mut locations = locations(tx, &asks).await?;
    let (mut placed, mut refused) = (vec![], vec![]);
    for ask in asks {
        let of_seller = locations.entry(ask.seller_id).or_default();
        if of_seller.is_empty() && ask.location_id.is_none() {
            of_seller.push(open_first(tx, now, ask.seller_id).await?);
        }
        match shelf(of_seller, ask.location_id) {
            Ok(location) if is_quantity(ask.quantity) => placed.push((ask, location)),
            Ok(_) => refused.push((ask, RefusedBecause::TooMuch)),
            Err(because) => refused.push((ask, because)),
        }
    }
    Ok((placed, refused))
}

/// The locations of each seller, the oldest first.
async fn locations(
    tx: &Tx,
    asks: &[&ReceiveStock],
) -> Result<HashMap<SellerId, Vec<location::Model>>, Failure> {
    let sellers: BTreeSet<SellerId> = asks.iter().map(|ask| ask.seller_id).collect();
    let rows = location::Entity::find()
        .filter(location::Column::SellerId.is_in(sellers))
        .order_by_asc(location::Column::Id)
        .all(tx)
        .await?;
    let mut locations: HashMap<SellerId, Vec<location::Model>> = HashMap::new();
    for row in rows {
        locations.entry(row.seller_id).or_default().push(row);
    }
    Ok(locations)
}

fn shelf(of_seller: &[location::Model], wanted: Option<LocationId>) -> Result<LocationId, RefusedBecause> {
    let Some(wanted) = wanted else {
        let open = of_seller.iter().find(|location| location.open);
        return open.map(|location| location.id).ok_or(RefusedBecause::LocationClosed);
    };
    match of_seller.iter().find(|location| location.id == wanted) {
        Some(location) if location.open => Ok(location.id),
        Some(_) => Err(RefusedBecause::LocationClosed),
        None => Err(RefusedBecause::LocationNotFound),
    }
}

async fn open_first(tx: &Tx, now: DateTime<Utc>, seller_id: SellerId) -> Result<location::Model, Failure> {
    let first = location::Model {
        id: LocationId::new(),
        seller_id,
        name: FIRST_LOCATION.into(),
        open: true,
        version: 1,
        created_at: now,
    };
    location::Entity::insert(first.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    // The seller may have opened one of this name a moment ago.
    let there = location::Entity::find()
        .filter(location::Column::SellerId.eq(seller_id))
        .filter(location::Column::Name.eq(FIRST_LOCATION));
    there.one(tx).await?.ok_or_else(|| Failure::msg("a location that was just made is not there"))
}

/// Parts the asks by whether their offers may have so many pieces. Levels are locked in the order of their ids.
async fn fitting<'a>(
    tx: &Tx,
    placed: Vec<Placed<'a>>,
) -> Result<(Vec<Placed<'a>>, Vec<(&'a ReceiveStock, RefusedBecause)>), Failure> {
    let levels = lock_levels(tx, placed.iter().map(|(ask, _)| ask.offer_id)).await?;
    let mut on_hand: HashMap<OfferId, i64> =
        levels.into_iter().map(|level| (level.offer_id, level.on_hand)).collect();
    let (mut fit, mut too_much) = (vec![], vec![]);
    for (ask, location) in placed {
        // Catalog tells of an offer before it asks for stock of it, and this ear hears both in their order.
        let there = on_hand.get_mut(&ask.offer_id);
        let there = there.ok_or_else(|| Failure::msg(format!("{} is not known", ask.offer_id)))?;
        if *there + ask.quantity > ON_HAND_MAX {
            too_much.push((ask, RefusedBecause::TooMuch));
            continue;
        }
        *there += ask.quantity;
        fit.push((ask, location));
    }
    Ok((fit, too_much))
}

async fn lock_levels(
    tx: &Tx,
    offers: impl Iterator<Item = OfferId>,
) -> Result<Vec<stock_level::Model>, Failure> {
    let levels = stock_level::Entity::find()
        .filter(stock_level::Column::OfferId.is_in(offers))
        .order_by_asc(stock_level::Column::OfferId)
        .lock_exclusive();
    Ok(levels.all(tx).await?)
}

async fn write(tx: &Tx, now: DateTime<Utc>, fit: &[Placed<'_>]) -> Result<(), Failure> {
    if fit.is_empty() {
        return Ok(());
    }
    let shipments = fit.iter().map(|(ask, location_id)| inbound_shipment::Model {
        id: ask.shipment_id,
        seller_id: ask.seller_id,
        location_id: *location_id,
        state: State::Received,
        reference: Some(REFERENCE.into()),
        expected_at: None,
        created_at: now,
        closed_at: Some(now),
    });
    let shipments = shipments.map(IntoActiveModel::into_active_model);
    inbound_shipment::Entity::insert_many(shipments).exec_without_returning(tx).await?;
    let lines = fit.iter().map(|(ask, _)| inbound_shipment_line::Model {
        shipment_id: ask.shipment_id,
        offer_id: ask.offer_id,
        expected: ask.quantity,
        received: Some(ask.quantity),
    });
    let lines = lines.map(IntoActiveModel::into_active_model);
    inbound_shipment_line::Entity::insert_many(lines).exec_without_returning(tx).await?;
    bulk::take_in(tx, now, fit.iter().map(arrival).collect()).await.map(drop)
}

fn arrival((ask, location_id): &Placed<'_>) -> Move {
    Move {
        offer_id: ask.offer_id,
        location_id: Some(*location_id),
        kind: Kind::Received,
        on_hand_delta: ask.quantity,
        reserved_delta: 0,
        cause: Cause {
            actor: ask.asked_by.to_string(),
            reason: Some(REFERENCE.into()),
            shipment_id: Some(ask.shipment_id),
            ..Default::default()
        },
    }
}

fn received(ask: &ReceiveStock, location_id: LocationId) -> (Aggregate, Event) {
    let (shipment_id, offer_id, quantity) = (ask.shipment_id, ask.offer_id, ask.quantity);
    (about("shipment", shipment_id, 1), StockReceived { shipment_id, offer_id, location_id, quantity }.into())
}

fn refusal(ask: &ReceiveStock, because: RefusedBecause) -> (Aggregate, Event) {
    let (shipment_id, offer_id) = (ask.shipment_id, ask.offer_id);
    (about("shipment", shipment_id, 1), StockRefused { shipment_id, offer_id, because }.into())
}

/// Sells as the second offer what can be sold of the first: its pieces that are promised to nobody. Asking twice moves
/// what is there then, which is nothing.
pub async fn move_stock(tx: &Tx, now: DateTime<Utc>, ask: &MoveStock) -> Result<(), Failure> {
    let levels = lock_levels(tx, [ask.from_offer_id, ask.to_offer_id].into_iter()).await?;
    if !are_of_one_seller(tx, ask).await? {
        return Err(Failure::msg("stock moves between two offers of one seller"));
    }
    let from = levels.iter().find(|level| level.offer_id == ask.from_offer_id);
    let shelves = location_level::Entity::find()
        .filter(location_level::Column::OfferId.eq(ask.from_offer_id))
        .order_by_asc(location_level::Column::LocationId)
        .all(tx)
        .await?;
    let moves = moves(ask, from.map_or(0, |level| level.available), &shelves);
    match stock::apply(tx, now, moves).await? {
        Ok(_) => Ok(()),
        Err(unfit) => Err(Failure::msg(format!("stock cannot move to another offer: {unfit:?}"))),
    }
}

async fn are_of_one_seller(tx: &Tx, ask: &MoveStock) -> Result<bool, Failure> {
    let both = [ask.from_offer_id, ask.to_offer_id];
    let offers = offer::Entity::find().filter(offer::Column::OfferId.is_in(both)).all(tx).await?;
    Ok(offers.len() == both.len() && offers.windows(2).all(|two| two[0].seller_id == two[1].seller_id))
}

/// Takes `available` pieces off the first shelves that have them, each to the same place under the other offer.
fn moves(ask: &MoveStock, available: i64, shelves: &[location_level::Model]) -> Vec<Move> {
    let mut left = available;
    let mut taken: BTreeMap<LocationId, i64> = BTreeMap::new();
    for shelf in shelves {
        let pieces = shelf.on_hand.min(left);
        left -= pieces;
        taken.insert(shelf.location_id, pieces);
    }
    let shift = |offer_id, location_id, on_hand_delta, reason: String| Move {
        offer_id,
        location_id: Some(location_id),
        kind: Kind::Adjusted,
        on_hand_delta,
        reserved_delta: 0,
        cause: Cause { actor: ask.asked_by.to_string(), reason: Some(reason), ..Default::default() },
    };
    let (from, to) = (ask.from_offer_id, ask.to_offer_id);
    let moved = taken.into_iter().filter(|(_, pieces)| *pieces > 0);
    moved
        .flat_map(|(location, pieces)| {
            [
                shift(from, location, -pieces, format!("sold as {to}")),
                shift(to, location, pieces, format!("was sold as {from}")),
            ]
        })
        .collect()
}
