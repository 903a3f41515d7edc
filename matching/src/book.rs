//! One market's book: per side a sorted vector of levels with the best at the end, per level a queue through the slab of
//! orders.

use crate::slab::{NIL, Slab};
use crate::{OrderId, Price, Quantity, Sequence, Side, Timestamp};

/// Levels next to the best that are tried one by one before a binary search.
const PROBES: usize = 8;
/// What a side without orders has for a touch: worse than every key.
const NOTHING: i64 = i64::MIN;

/// An order that rests: one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Order {
    /// 0: the place is free.
    pub id: OrderId,
    pub sequence: Sequence,
    pub price: Price,
    /// That of the last order, in a free place: the calendar goes by it.
    pub expires_at: Timestamp,
    pub remaining: Quantity,
    pub filled: Quantity,
    pub account: u32,
    pub market: u32,
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

/// Both sides; with what decides most often, one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Book {
    /// The keys of the best levels.
    touch: [i64; 2],
    ladders: [Ladder; 2],
}

impl Default for Book {
    fn default() -> Self {
        Self { touch: [NOTHING; 2], ladders: Default::default() }
    }
}

impl Book {
    pub fn ladder(&self, side: Side) -> &Ladder {
        &self.ladders[side as usize]
    }

    /// The highest bid or the lowest ask.
    pub fn best(&self, side: Side) -> Option<Price> {
        let touch = self.touch[side as usize];
        (touch > NOTHING).then(|| price(side, touch))
    }

    /// The first order at the best price of `side`, when an order of the other side with this limit meets it.
    #[inline]
    pub fn first(&self, side: Side, limit: Price) -> Option<u32> {
        if self.touch[side as usize] < key(side, limit) {
            return None;
        }
        self.ladder(side).levels.last().map(|level| level.first)
    }

    /// Whether an order on `side` with this limit meets the best of the other side.
    #[inline]
    pub fn crosses(&self, side: Side, limit: Price) -> bool {
        let other = side.opposite();
        self.touch[other as usize] >= key(other, limit)
    }

    /// Whether bids and asks meet at rest, which must not be.
    #[inline]
    pub fn is_crossed(&self) -> bool {
        let [bid, ask] = self.touch;
        bid.saturating_add(ask) >= 0
    }

    /// Puts an order into the queue of its price: behind every order with an earlier sequence.
    #[inline]
    pub fn add(&mut self, orders: &mut Slab<Order>, slot: u32) {
        let Order { side, price, remaining, .. } = orders[slot];
        let key = key(side, price);
        self.ladders[side as usize].add(orders, slot, key, remaining);
        let touch = &mut self.touch[side as usize];
        *touch = key.max(*touch);
    }

    /// Takes an order out, with what is left of it. `false`: its price has no level, which must not be.
    #[inline]
    pub fn remove(&mut self, orders: &mut Slab<Order>, slot: u32) -> bool {
        let side = orders[slot].side;
        let ladder = &mut self.ladders[side as usize];
        let found = ladder.remove(orders, slot);
        self.touch[side as usize] = ladder.levels.last().map_or(NOTHING, |level| level.key);
        found
    }

    /// Takes `quantity` off the best level: its first order is matched in part.
    #[inline]
    pub fn take_from_best(&mut self, side: Side, quantity: Quantity) {
        if let Some(level) = self.ladders[side as usize].levels.last_mut() {
            level.quantity -= u64::from(quantity);
        }
    }

    /// Changes what an order at `price` has left, in its place.
    pub fn change(&mut self, side: Side, price: Price, before: Quantity, after: Quantity) {
        let ladder = &mut self.ladders[side as usize];
        if let Ok(index) = ladder.find(key(side, price)) {
            let level = &mut ladder.levels[index];
            level.quantity = level.quantity - u64::from(before) + u64::from(after);
        }
    }

    /// Slots of one side in the order in which they match.
    pub fn queue<'s>(&'s self, side: Side, orders: &'s Slab<Order>) -> impl Iterator<Item = u32> + 's {
        let next = |slot: u32| (slot != NIL).then_some(slot);
        let levels = self.ladder(side).levels.iter().rev();
        levels.flat_map(move |level| {
            std::iter::successors(next(level.first), move |slot| next(orders[*slot].behind))
        })
    }

    pub fn bytes(&self) -> usize {
        let levels = self.ladders.iter().map(|ladder| ladder.levels.capacity()).sum::<usize>();
        levels * size_of::<Level>()
    }
}

/// One side of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder {
    levels: Vec<Level>,
}

impl Ladder {
    /// From the worst to the best.
    pub fn levels(&self) -> &[Level] {
        &self.levels
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

    #[inline]
    fn add(&mut self, orders: &mut Slab<Order>, slot: u32, key: i64, quantity: Quantity) {
        let quantity = u64::from(quantity);
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

    #[inline]
    fn remove(&mut self, orders: &mut Slab<Order>, slot: u32) -> bool {
        let Order { side, price, ahead, behind, remaining, .. } = orders[slot];
        let Ok(index) = self.find(key(side, price)) else { return false };
        let level = &mut self.levels[index];
        if level.orders == 1 {
            self.levels.remove(index);
            return true;
        }
        level.orders -= 1;
        level.quantity -= u64::from(remaining);
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
