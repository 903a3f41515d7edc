//! One market's book: per side a sorted vector of levels with the best at the end, per level a queue through the slab of
//! orders.

use crate::slab::{NIL, Slab};
use crate::{MarketId, MarketRules, OrderId, Price, Quantity, Sequence, Side, Timestamp};

/// Levels next to the best that are tried one by one before a binary search.
const PROBES: usize = 8;

/// An order that rests: one cache line.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// 0: the place is free.
    pub id: OrderId,
    pub sequence: Sequence,
    pub price: Price,
    pub expires_at: Timestamp,
    pub remaining: Quantity,
    pub filled: Quantity,
    pub account: u32,
    /// Its account at its market.
    pub seat: u32,
    /// Neighbours in the queue of its level.
    pub ahead: u32,
    pub behind: u32,
    pub side: Side,
    pub returns: bool,
}

/// A price with everything that rests there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// The price as [`key`] gives it.
    pub key: i64,
    pub quantity: u64,
    pub first: u32,
    pub last: u32,
    pub orders: u32,
}

/// Prices of both sides on one scale where more is better for whoever comes to match.
#[inline]
pub(crate) fn key(side: Side, price: Price) -> i64 {
    match side {
        Side::Bid => price,
        Side::Ask => -price,
    }
}

/// [`key`] is its own inverse.
#[inline]
pub(crate) fn price(side: Side, key: i64) -> Price {
    self::key(side, key)
}

/// One side of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder {
    levels: Vec<Level>,
}

impl Ladder {
    #[inline]
    pub fn best(&self) -> Option<&Level> {
        self.levels.last()
    }

    /// From the worst to the best.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    pub fn bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Level>()
    }

    /// Where the level of `key` is, or where it would be.
    #[inline]
    fn find(&self, key: i64) -> Result<usize, usize> {
        let near = self.levels.len().saturating_sub(PROBES);
        for index in (near..self.levels.len()).rev() {
            let at = self.levels[index].key;
            if at <= key {
                return if at == key { Ok(index) } else { Err(index + 1) };
            }
        }
        self.levels[..near].binary_search_by_key(&key, |level| level.key)
    }

    /// Puts an order into the queue of its price: behind every order with an earlier sequence.
    #[inline]
    pub fn add(&mut self, orders: &mut Slab<Order>, slot: u32) {
        let order = &orders[slot];
        let (key, quantity) = (key(order.side, order.price), u64::from(order.remaining));
        match self.find(key) {
            Ok(index) => {
                let level = &mut self.levels[index];
                level.quantity += quantity;
                level.orders += 1;
                enqueue(level, orders, slot);
            }
            Err(index) => {
                (orders[slot].ahead, orders[slot].behind) = (NIL, NIL);
                self.levels.insert(index, Level { key, quantity, first: slot, last: slot, orders: 1 });
            }
        }
    }

    /// Takes an order out, with what is left of it. `false`: its price has no level, which must not be.
    #[inline]
    pub fn remove(&mut self, orders: &mut Slab<Order>, slot: u32) -> bool {
        let order = &orders[slot];
        let (ahead, behind, quantity) = (order.ahead, order.behind, u64::from(order.remaining));
        let Ok(index) = self.find(key(order.side, order.price)) else { return false };
        let level = &mut self.levels[index];
        if level.orders == 1 {
            self.levels.remove(index);
            return true;
        }
        level.orders -= 1;
        level.quantity -= quantity;
        match ahead {
            NIL => level.first = behind,
            _ => orders[ahead].behind = behind,
        }
        match behind {
            NIL => level.last = ahead,
            _ => orders[behind].ahead = ahead,
        }
        true
    }

    /// Takes `quantity` off the best level: its first order is matched in part.
    #[inline]
    pub fn take_from_best(&mut self, quantity: Quantity) {
        if let Some(level) = self.levels.last_mut() {
            level.quantity -= u64::from(quantity);
        }
    }

    /// Changes what an order at `price` has left, in its place.
    pub fn change(&mut self, side: Side, price: Price, before: Quantity, after: Quantity) {
        if let Ok(index) = self.find(key(side, price)) {
            let level = &mut self.levels[index];
            level.quantity = level.quantity - u64::from(before) + u64::from(after);
        }
    }
}

/// Almost always the end of the queue; an ask that comes back walks to its old place.
#[inline]
fn enqueue(level: &mut Level, orders: &mut Slab<Order>, slot: u32) {
    let sequence = orders[slot].sequence;
    let (mut ahead, mut behind) = (level.last, NIL);
    while ahead != NIL && orders[ahead].sequence > sequence {
        behind = ahead;
        ahead = orders[ahead].ahead;
    }
    (orders[slot].ahead, orders[slot].behind) = (ahead, behind);
    match ahead {
        NIL => level.first = slot,
        _ => orders[ahead].behind = slot,
    }
    match behind {
        NIL => level.last = slot,
        _ => orders[behind].ahead = slot,
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub id: MarketId,
    pub rules: MarketRules,
    /// Of the newest event.
    pub seq: u64,
    pub bids: Ladder,
    pub asks: Ladder,
}

impl Market {
    #[inline]
    pub fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    #[inline]
    pub fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    pub fn best(&self, side: Side) -> Option<Price> {
        self.ladder(side).best().map(|level| price(side, level.key))
    }

    /// Whether an order on `side` with this limit meets the best of the other side.
    #[inline]
    pub fn crosses(&self, side: Side, limit: Price) -> bool {
        let other = side.opposite();
        self.ladder(other).best().is_some_and(|level| level.key >= key(other, limit))
    }

    /// Whether bids and asks meet at rest, which must not be.
    #[inline]
    pub fn is_crossed(&self) -> bool {
        match (self.bids.best(), self.asks.best()) {
            (Some(bid), Some(ask)) => bid.key >= -ask.key,
            _ => false,
        }
    }
}
