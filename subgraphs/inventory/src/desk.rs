//! Answers asks for stock in memory: values in, values out. A whole batch of asks is decided on levels that were read
//! once, under their locks.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use contract::event::inventory::Line;
use contract::{LocationId, OfferId, OrderId, ReservationId, SellerId};
use entity::inventory::reservation::State;
use entity::inventory::stock_movement::Kind;
use serde::{Deserialize, Serialize};

use crate::limits::{LINES_MAX, is_quantity};
use crate::stock::{Cause, Move};

/// What somebody wants of the desk.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Reserve(Reserve),
    Commit {
        reservation_id: ReservationId,
        actor: String,
    },
    Release {
        reservation_id: ReservationId,
        actor: String,
        reason: String,
    },
    /// Give back what nobody came for.
    Expire {
        reservation_id: ReservationId,
        actor: String,
    },
}

/// Ask: all lines or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    pub reservation_id: ReservationId,
    pub order_id: Option<OrderId>,
    pub seller_id: Option<SellerId>,
    pub lines: Vec<Line>,
    pub expires_at: DateTime<Utc>,
    pub actor: String,
}

impl Ask {
    pub fn reservation_id(&self) -> ReservationId {
        match self {
            Self::Reserve(reserve) => reserve.reservation_id,
            Self::Commit { reservation_id, .. }
            | Self::Release { reservation_id, .. }
            | Self::Expire { reservation_id, .. } => *reservation_id,
        }
    }
}

/// A promise of stock, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub id: ReservationId,
    pub order_id: Option<OrderId>,
    pub seller_id: Option<SellerId>,
    pub state: State,
    pub lines: Vec<ReservedLine>,
    pub expires_at: DateTime<Utc>,
    pub reason: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedLine {
    pub offer_id: OfferId,
    pub quantity: i64,
    /// What was available when this line could not be met.
    pub short_available: Option<i64>,
}

/// The shelves hold less than was promised: the tables contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shelves of {0} hold less than is reserved")]
pub struct ShelvesShort(OfferId);

/// The levels, shelves and reservations that a batch of asks is about, and what has been decided.
#[derive(Debug, Default)]
pub struct Desk {
    pub available: HashMap<OfferId, i64>,
    pub shelves: HashMap<OfferId, BTreeMap<LocationId, i64>>,
    pub reservations: BTreeMap<ReservationId, Reservation>,
    pub moves: Vec<Move>,
}

impl Desk {
    /// Decides one ask: the reservation as it is then. Asking again changes nothing and gives the same answer.
    ///
    /// # Errors
    /// A reservation is to be committed that the shelves cannot serve.
    pub fn answer(&mut self, now: DateTime<Utc>, ask: Ask) -> Result<Reservation, ShelvesShort> {
        let known = self.reservations.get(&ask.reservation_id()).cloned();
        let answer = match (known, ask) {
            (None, Ask::Reserve(reserve)) => self.reserve(now, reserve),
            (None, ask) => return Ok(never_was(ask.reservation_id(), now)),
            (Some(active), Ask::Commit { actor, .. }) if active.state == State::Active => {
                self.commit(active, actor)?
            }
            (Some(active), Ask::Release { actor, reason, .. }) if active.state == State::Active => {
                self.give_back(active, State::Released, actor, reason)
            }
            (Some(active), Ask::Expire { actor, .. })
                if active.state == State::Active && active.expires_at <= now =>
            {
                self.give_back(active, State::Expired, actor, "expired".into())
            }
            (Some(settled), _) => return Ok(settled),
        };
        self.reservations.insert(answer.id, answer.clone());
        Ok(answer)
    }

    fn reserve(&mut self, now: DateTime<Utc>, ask: Reserve) -> Reservation {
        let mut reservation = Reservation {
            id: ask.reservation_id,
            order_id: ask.order_id,
            seller_id: ask.seller_id,
            state: State::Active,
            lines: vec![],
            expires_at: ask.expires_at,
            reason: None,
            version: 1,
            created_at: now,
        };
        if !(1..=LINES_MAX).contains(&ask.lines.len())
            || ask.lines.iter().any(|line| !is_quantity(line.quantity))
        {
            reservation.state = State::Rejected;
            reservation.reason = Some("lines or quantities out of range".into());
            return reservation;
        }
        reservation.lines = self.weigh(&ask.lines);
        if reservation.lines.iter().any(|line| line.short_available.is_some()) {
            reservation.state = State::Rejected;
            reservation.reason = Some("insufficient stock".into());
            return reservation;
        }
        for line in &reservation.lines {
            *self.available.entry(line.offer_id).or_default() -= line.quantity;
            self.moves.push(promise(&reservation, line, Kind::Reserved, line.quantity, &ask.actor));
        }
        reservation
    }

    /// The lines, one per offer, each with what is missing.
    fn weigh(&self, lines: &[Line]) -> Vec<ReservedLine> {
        let mut wanted: BTreeMap<OfferId, i64> = BTreeMap::new();
        for line in lines {
            *wanted.entry(line.offer_id).or_default() += line.quantity;
        }
        let weighed = wanted.into_iter().map(|(offer_id, quantity)| {
            let available = self.available.get(&offer_id).copied().unwrap_or(0);
            ReservedLine { offer_id, quantity, short_available: (available < quantity).then_some(available) }
        });
        weighed.collect()
    }

    fn commit(&mut self, mut reservation: Reservation, actor: String) -> Result<Reservation, ShelvesShort> {
        for line in &reservation.lines {
            for (location_id, pieces) in self.pick(line)? {
                let one = promise(&reservation, line, Kind::Committed, -pieces, &actor);
                self.moves.push(Move { location_id: Some(location_id), on_hand_delta: -pieces, ..one });
            }
        }
        reservation.state = State::Committed;
        reservation.version += 1;
        Ok(reservation)
    }

    /// Takes a line's pieces from the shelves, the fullest first.
    fn pick(&mut self, line: &ReservedLine) -> Result<Vec<(LocationId, i64)>, ShelvesShort> {
        let shelves = self.shelves.entry(line.offer_id).or_default();
        let mut fullest: Vec<(LocationId, i64)> =
            shelves.iter().map(|(id, on_hand)| (*id, *on_hand)).collect();
        fullest.sort_by_key(|(id, on_hand)| (std::cmp::Reverse(*on_hand), *id));
        let mut missing = line.quantity;
        let mut picked = Vec::new();
        for (location_id, on_hand) in fullest {
            let pieces = missing.min(on_hand);
            if pieces > 0 {
                shelves.insert(location_id, on_hand - pieces);
                picked.push((location_id, pieces));
                missing -= pieces;
            }
        }
        if missing > 0 {
            return Err(ShelvesShort(line.offer_id));
        }
        Ok(picked)
    }

    fn give_back(
        &mut self,
        mut reservation: Reservation,
        state: State,
        actor: String,
        reason: String,
    ) -> Reservation {
        reservation.reason = Some(reason);
        for line in &reservation.lines {
            *self.available.entry(line.offer_id).or_default() += line.quantity;
            self.moves.push(promise(&reservation, line, Kind::Released, -line.quantity, &actor));
        }
        reservation.state = state;
        reservation.version += 1;
        reservation
    }
}

fn promise(
    reservation: &Reservation,
    line: &ReservedLine,
    kind: Kind,
    reserved_delta: i64,
    actor: &str,
) -> Move {
    Move {
        offer_id: line.offer_id,
        location_id: None,
        kind,
        on_hand_delta: 0,
        reserved_delta,
        cause: Cause {
            actor: actor.into(),
            reason: reservation.reason.clone(),
            reservation_id: Some(reservation.id),
            order_id: reservation.order_id,
            shipment_id: None,
        },
    }
}

/// The answer about a reservation that nobody made: nothing is held. Not stored.
fn never_was(id: ReservationId, now: DateTime<Utc>) -> Reservation {
    Reservation {
        id,
        order_id: None,
        seller_id: None,
        state: State::Released,
        lines: vec![],
        expires_at: now,
        reason: Some("there is no such reservation".into()),
        version: 1,
        created_at: now,
    }
}

#[cfg(test)]
mod tests;
