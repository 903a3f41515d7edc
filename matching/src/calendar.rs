//! When orders die: hours of entries, of which only the present one is sorted.
//!
//! An entry is not removed when its order leaves or lives longer; it is recognised as stale when its time comes, and an hour
//! is swept before it grows. So placing costs a push, cancelling nothing, and stale entries never outnumber live ones for long.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::book::Order;
use crate::hash::Map;
use crate::slab::Slab;
use crate::{OrderId, Timestamp};

const HOUR_US: i64 = 60 * 60 * 1_000_000;
/// An hour with fewer entries is not worth sweeping.
const SWEEP_MIN: usize = 64;
/// Never expires.
const NEVER: Timestamp = Timestamp::MAX;

/// An entry of an hour, 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Microseconds into the hour: they fit in 32 bits.
    offset_us: u32,
    slot: u32,
    order: OrderId,
}

/// Time, order, slot; the earliest first.
type Due = Reverse<(Timestamp, OrderId, u32)>;

#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    hours: Map<i64, Vec<Entry>>,
    /// The hour that was added to last, taken out of `hours`: lives of the same length end in the same hour.
    near: (i64, Vec<Entry>),
    /// The first hour that has entries.
    first_hour: Option<i64>,
    /// The last hour that has begun.
    begun: i64,
    /// Entries of hours that have begun.
    due: BinaryHeap<Due>,
    /// Before it nothing expires.
    next: Timestamp,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            hours: Map::default(),
            near: (i64::MIN, Vec::new()),
            first_hour: None,
            begun: i64::MIN,
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

    /// Remembers when the order at `slot` dies.
    #[inline]
    pub fn add(&mut self, orders: &Slab<Order>, slot: u32) {
        let Order { id, expires_at, .. } = orders[slot];
        if expires_at == NEVER {
            return;
        }
        let hour = expires_at.div_euclid(HOUR_US);
        if hour <= self.begun {
            return self.add_due(orders, Reverse((expires_at, id, slot)));
        }
        if self.near.0 != hour {
            self.turn_to(hour);
        }
        let entries = &mut self.near.1;
        if entries.len() == entries.capacity() && entries.len() >= SWEEP_MIN {
            sweep(entries, hour, orders);
        }
        entries.push(Entry { offset_us: expires_at.rem_euclid(HOUR_US) as u32, slot, order: id });
        if self.first_hour.is_none_or(|first| hour < first) {
            self.first_hour = Some(hour);
            self.next = self.next.min(hour * HOUR_US);
        }
    }

    fn turn_to(&mut self, hour: i64) {
        let entries = self.hours.remove(&hour).unwrap_or_default();
        let (before, left) = std::mem::replace(&mut self.near, (hour, entries));
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
        self.turn_to(i64::MIN);
        let entries = self.hours.remove(&hour).unwrap_or_default();
        let live = entries.into_iter().filter(|entry| is_live(entry, hour, orders));
        self.due.extend(live.map(|entry| Reverse((time(&entry, hour), entry.order, entry.slot))));
        self.first_hour = self.hours.keys().copied().min();
        self.begun = hour;
    }

    fn earliest(&self) -> Timestamp {
        let due = self.due.peek().map_or(NEVER, |Reverse((at, ..))| *at);
        self.first_hour.map_or(due, |hour| due.min(hour * HOUR_US))
    }

    pub fn bytes(&self) -> usize {
        let hours: usize = self.hours.values().map(|entries| entries.capacity() * size_of::<Entry>()).sum();
        hours
            + self.near.1.capacity() * size_of::<Entry>()
            + self.hours.capacity() * (size_of::<(i64, Vec<Entry>)>() + 1)
            + self.due.capacity() * size_of::<Due>()
    }
}

fn time(entry: &Entry, hour: i64) -> Timestamp {
    hour * HOUR_US + i64::from(entry.offset_us)
}

fn is_live(entry: &Entry, hour: i64, orders: &Slab<Order>) -> bool {
    is_alive(orders, entry.slot, entry.order, time(entry, hour))
}

/// Whether an order still rests, and still dies then.
fn is_alive(orders: &Slab<Order>, slot: u32, id: OrderId, at: Timestamp) -> bool {
    orders[slot].id == id && orders[slot].expires_at == at
}

/// Drops stale entries, and repeated ones of orders whose expiry went away and came back.
fn sweep(entries: &mut Vec<Entry>, hour: i64, orders: &Slab<Order>) {
    entries.retain(|entry| is_live(entry, hour, orders));
    entries.sort_unstable();
    entries.dedup();
    // Without room after a sweep, sweeps would follow each other.
    entries.reserve(entries.len().max(SWEEP_MIN));
}
