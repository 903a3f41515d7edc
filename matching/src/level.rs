//! What rests at one price of one side: a queue through the slab of orders.

use std::iter::successors;

use crate::book::Order;
use crate::slab::{NIL, Slab};

/// Half a cache line. A level stays where it is while anything rests there, so that an order finds its own without a search.
#[derive(Clone, Debug)]
#[repr(align(32))]
pub(crate) struct Level {
    pub quantity: u64,
    pub first: u32,
    pub last: u32,
    pub orders: u32,
}

impl Level {
    pub const EMPTY: Self = Self { quantity: 0, first: NIL, last: NIL, orders: 0 };

    /// Puts an order behind all others. The one before it is only written to: nobody waits for its line.
    #[inline]
    pub fn join(&mut self, orders: &mut Slab<Order>, slot: u32) {
        self.insert(orders, self.last, slot, NIL);
    }

    /// Puts an order behind every one with an earlier sequence.
    #[cold]
    pub fn join_again(&mut self, orders: &mut Slab<Order>, slot: u32) {
        let is_earlier = |other: &u32| orders[*other].sequence < orders[slot].sequence;
        let mut from_behind = successors(some(self.last), |slot| some(orders[*slot].ahead));
        let ahead = from_behind.find(is_earlier);
        let behind = ahead.map_or(self.first, |ahead| orders[ahead].behind);
        self.insert(orders, ahead.unwrap_or(NIL), slot, behind);
    }

    #[inline]
    fn insert(&mut self, orders: &mut Slab<Order>, ahead: u32, slot: u32, behind: u32) {
        self.set_behind(orders, ahead, slot);
        self.set_ahead(orders, behind, slot);
        let order = &mut orders[slot];
        (order.ahead, order.behind) = (ahead, behind);
        self.quantity += u64::from(order.remaining);
        self.orders += 1;
    }

    /// Takes an order out, with what is left of it.
    #[inline]
    pub fn leave(&mut self, orders: &mut Slab<Order>, slot: u32) {
        let Order { ahead, behind, remaining, .. } = orders[slot];
        self.set_behind(orders, ahead, behind);
        self.set_ahead(orders, behind, ahead);
        self.quantity -= u64::from(remaining);
        self.orders -= 1;
    }

    /// Behind [`NIL`] comes the first.
    #[inline]
    fn set_behind(&mut self, orders: &mut Slab<Order>, of: u32, slot: u32) {
        match of {
            NIL => self.first = slot,
            _ => orders[of].behind = slot,
        }
    }

    /// Ahead of [`NIL`] comes the last.
    #[inline]
    fn set_ahead(&mut self, orders: &mut Slab<Order>, of: u32, slot: u32) {
        match of {
            NIL => self.last = slot,
            _ => orders[of].ahead = slot,
        }
    }

    /// Slots of its orders as they match.
    pub fn queue<'s>(&self, orders: &'s Slab<Order>) -> impl Iterator<Item = u32> + use<'s> {
        successors(some(self.first), |slot| some(orders[*slot].behind))
    }
}

/// Slots of those ahead of an order, the nearest first.
pub(crate) fn ahead(orders: &Slab<Order>, slot: u32) -> impl Iterator<Item = u32> + '_ {
    successors(some(orders[slot].ahead), |slot| some(orders[*slot].ahead))
}

#[inline]
fn some(slot: u32) -> Option<u32> {
    (slot != NIL).then_some(slot)
}
