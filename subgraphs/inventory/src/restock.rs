//! Sold pieces that are the seller's again: they go back where they came from. An order asks for it when pieces were never
//! sent, or came back fit to be sold.

use std::collections::HashMap;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::RestockSold;
use contract::{LocationId, OfferId, OrderId};
use entity::inventory::stock_movement::{self, Kind};
use entity::inventory::{location, offer};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tracing::warn;

use crate::stock::{self, Cause, Move};

/// The name of orders in the log of movements.
const ACTOR: &str = "ask";

/// Puts back what is asked for. The inbox of the consumer sees to it that each ask counts once.
pub async fn hear(tx: &Tx, now: DateTime<Utc>, asks: Vec<&RestockSold>) -> Result<(), Failure> {
    for ask in asks {
        let shelves = shelves(tx, ask.order_id).await?;
        let mut moves = Vec::new();
        for line in &ask.lines {
            let shelf = match shelves.get(&line.offer_id) {
                Some(shelf) => Some(*shelf),
                None => some_shelf(tx, line.offer_id).await?,
            };
            let Some(location_id) = shelf else {
                warn!(offer.id = %line.offer_id, order.id = %ask.order_id, "Nowhere to put pieces of {} back", line.offer_id);
                continue;
            };
            moves.push(back(ask, line.offer_id, location_id, line.quantity));
        }
        let moved = stock::apply(tx, now, moves).await?;
        moved.map_err(|unfit| Failure::msg(format!("sold pieces do not fit back: {unfit:?}")))?;
    }
    Ok(())
}

fn back(ask: &RestockSold, offer_id: OfferId, location_id: LocationId, quantity: i64) -> Move {
    Move {
        offer_id,
        location_id: Some(location_id),
        kind: Kind::Returned,
        on_hand_delta: quantity,
        reserved_delta: 0,
        cause: Cause {
            actor: ACTOR.into(),
            reason: Some(ask.reason.clone()),
            order_id: Some(ask.order_id),
            ..Cause::default()
        },
    }
}

/// Where the pieces of an order came from.
async fn shelves(tx: &Tx, order: OrderId) -> Result<HashMap<OfferId, LocationId>, Failure> {
    let rows = stock_movement::Entity::find()
        .filter(stock_movement::Column::OrderId.eq(order))
        .filter(stock_movement::Column::Kind.eq(Kind::Committed))
        .order_by_asc(stock_movement::Column::OnHandDelta)
        .all(tx)
        .await?;
    let mut shelves = HashMap::new();
    for row in rows {
        if let Some(location) = row.location_id {
            shelves.entry(row.offer_id).or_insert(location);
        }
    }
    Ok(shelves)
}

/// Any open location of the offer's seller.
async fn some_shelf(tx: &Tx, id: OfferId) -> Result<Option<LocationId>, Failure> {
    let Some(offer) = offer::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let open = location::Entity::find()
        .filter(location::Column::SellerId.eq(offer.seller_id))
        .filter(location::Column::Open.eq(true))
        .order_by_asc(location::Column::Id);
    Ok(open.one(tx).await?.map(|location| location.id))
}
