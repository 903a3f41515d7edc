//! When orders die: hours of slots, of which only the present one is sorted.
//!
//! An entry is four bytes, the slot of an order; the order says when. It is not removed when its order leaves or lives
//! longer: it is recognised as stale when its hour comes, and an hour is swept before it grows. A freed slot keeps its place
//! in its hour, so that the next order there which dies in the same hour needs no other. So placing costs a push at most,
//! cancelling nothing, and stale entries never outnumber the others for long.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::book::Order;
use crate::hash::Map;
use crate::slab::Slab;
use crate::{OrderId, Timestamp};

const HOUR_US: i64 = 60 * 60 * 1_000_000;
/// An hour with fewer entries is not worth sweeping.
const SWEEP_MIN: usize = 64;
/// Never expires, and is not listed.
pub(crate) const NEVER: Timestamp = Timestamp::MAX;

/// Time, order, slot; the earliest first.
type Due = Reverse<(Timestamp, OrderId, u32)>;

#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    hours: Map<i64, Vec<u32>>,
    /// The hour that was added to last, taken out of `hours`: lives of the same length end in the same hour.
    near: (i64, Vec<u32>),
    /// The first hour that has entries.
    first_hour: Option<i64>,
    /// The last hour that has begun.
    begun: i64,
    /// Orders of hours that have begun.
    due: BinaryHeap<Due>,
    /// Before it nothing expires.
    next: Timestamp,
}

/// No hour: time begins at 0.
const NO_HOUR: i64 = -1;

impl Default for Calendar {
    fn default() -> Self {
        Self {
            hours: Map::default(),
            near: (NO_HOUR, Vec::new()),
            first_hour: None,
            begun: NO_HOUR,
            due: BinaryHeap::new(),
            next: NEVER,
        }
    }
}

impl Calendar {
    /// Whether something may be due.
    #[inline]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next <= now
    }

    /// Remembers when the order at `slot` dies. `listed` is when the order died for which the slot was listed before.
    #[inline(always)]
    pub fn add(&mut self, orders: &Slab<Order>, slot: u32, listed: Timestamp) {
        if !(self.is_near(orders[slot].expires_at) && self.is_near(listed)) {
            self.list(orders, slot, listed);
        }
    }

    #[inline]
    fn is_near(&self, at: Timestamp) -> bool {
        at != NEVER && (at.wrapping_sub(self.near.0 * HOUR_US) as u64) < HOUR_US as u64
    }

    #[inline(never)]
    fn list(&mut self, orders: &Slab<Order>, slot: u32, listed: Timestamp) {
        let Order { id, expires_at, .. } = orders[slot];
        if expires_at == NEVER {
            return;
        }
        let hour = hour_of(expires_at);
        if hour <= self.begun {
            return self.add_due(orders, Reverse((expires_at, id, slot)));
        }
        if listed != NEVER && hour_of(listed) == hour {
            return;
        }
        if self.near.0 != hour {
            self.turn_to(hour);
        }
        let slots = &mut self.near.1;
        if slots.len() == slots.capacity() {
            make_room(slots, hour, orders);
        }
        slots.push(slot);
        if self.first_hour.is_none_or(|first| hour < first) {
            self.first_hour = Some(hour);
            self.next = self.next.min(hour * HOUR_US);
        }
    }

    fn turn_to(&mut self, hour: i64) {
        let slots = self.hours.remove(&hour).unwrap_or_default();
        let (before, left) = std::mem::replace(&mut self.near, (hour, slots));
        if !left.is_empty() {
            self.hours.insert(before, left);
        }
    }

    #[cold]
    fn add_due(&mut self, orders: &Slab<Order>, due: Due) {
        if self.due.len() == self.due.capacity() && self.due.len() >= SWEEP_MIN {
            let mut live = std::mem::take(&mut self.due).into_vec();
            live.retain(|Reverse((at, id, slot))| is_alive(orders, *slot, *id, *at));
            live.sort_unstable();
            live.dedup();
            live.reserve(live.len().max(SWEEP_MIN));
            self.due = live.into();
        }
        self.next = self.next.min(due.0.0);
        self.due.push(due);
    }

    /// The slot of the next order that is dead at `now`.
    pub fn pop(&mut self, orders: &Slab<Order>, now: Timestamp) -> Option<u32> {
        while self.next <= now {
            while let Some(hour) = self.first_hour.filter(|hour| hour * HOUR_US <= now) {
                self.begin(hour, orders);
            }
            while let Some(Reverse((at, id, slot))) = self.due.peek().copied() {
                if at > now {
                    break;
                }
                self.due.pop();
                if is_alive(orders, slot, id, at) {
                    return Some(slot);
                }
            }
            self.next = self.earliest();
        }
        None
    }

    fn begin(&mut self, hour: i64, orders: &Slab<Order>) {
        self.turn_to(NO_HOUR);
        let slots = self.hours.remove(&hour).unwrap_or_default();
        let live = slots.into_iter().map(|slot| (slot, &orders[slot]));
        let live = live.filter(|(_, order)| order.id.0 > 0 && dies_in(order, hour));
        self.due.extend(live.map(|(slot, order)| Reverse((order.expires_at, order.id, slot))));
        self.first_hour = self.hours.keys().copied().min();
        self.begun = hour;
    }

    fn earliest(&self) -> Timestamp {
        let due = self.due.peek().map_or(NEVER, |Reverse((at, ..))| *at);
        self.first_hour.map_or(due, |hour| due.min(hour * HOUR_US))
    }

    /// Every slot that is listed, with when: the hour, or the time where the hour has begun.
    pub fn listed(&self) -> impl Iterator<Item = (Timestamp, u32)> {
        let hours = self.hours.iter().map(|(hour, slots)| (*hour, slots));
        let hours = hours.chain([(self.near.0, &self.near.1)]);
        let slots = hours.flat_map(|(hour, slots)| slots.iter().map(move |slot| (hour * HOUR_US, *slot)));
        slots.chain(self.due.iter().map(|Reverse((at, _, slot))| (*at, *slot)))
    }

    pub fn bytes(&self) -> usize {
        let hours: usize = self.hours.values().map(|slots| slots.capacity() * size_of::<u32>()).sum();
        hours
            + self.near.1.capacity() * size_of::<u32>()
            + self.hours.capacity() * (size_of::<(i64, Vec<u32>)>() + 1)
            + self.due.capacity() * size_of::<Due>()
    }
}

#[inline]
fn hour_of(at: Timestamp) -> i64 {
    at / HOUR_US
}

/// When the hour of a time began.
pub(crate) fn hour_begin(at: Timestamp) -> Timestamp {
    hour_of(at) * HOUR_US
}

fn dies_in(order: &Order, hour: i64) -> bool {
    order.expires_at != NEVER && hour_of(order.expires_at) == hour
}

/// Whether an order still rests, and still dies then.
fn is_alive(orders: &Slab<Order>, slot: u32, id: OrderId, at: Timestamp) -> bool {
    orders[slot].id == id && orders[slot].expires_at == at
}

/// Drops stale entries, and repeated ones of orders whose expiry went away and came back.
#[cold]
fn make_room(slots: &mut Vec<u32>, hour: i64, orders: &Slab<Order>) {
    if slots.len() >= SWEEP_MIN {
        slots.retain(|slot| dies_in(&orders[*slot], hour));
        slots.sort_unstable();
        slots.dedup();
    }
    // Without room after a sweep, sweeps would follow each other.
    slots.reserve_exact(slots.len() / 2 + 4);
}
