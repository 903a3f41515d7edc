//! One market's book: per side a sorted vector of prices with the best at the end.

use crate::level::Level;
use crate::slab::Slab;
use crate::{OrderId, Price, Quantity, Sequence, Side, Timestamp};

/// Prices that are tried around a guess before a binary search.
const NEAR: usize = 4;
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
    /// Of its price. It and the neighbours there are set when the order joins the queue.
    pub level: u32,
    pub ahead: u32,
    pub behind: u32,
    pub side: Side,
    pub returns: bool,
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
    /// The keys of the best prices.
    touch: [i64; 2],
    ladders: [Ladder; 2],
}

impl Default for Book {
    fn default() -> Self {
        Self { touch: [NOTHING; 2], ladders: Default::default() }
    }
}

impl Book {
    /// From the worst to the best.
    pub fn rungs(&self, side: Side) -> &[Rung] {
        &self.ladders[side as usize].rungs
    }

    /// The highest bid or the lowest ask.
    pub fn best(&self, side: Side) -> Option<Price> {
        let touch = self.touch[side as usize];
        (touch > NOTHING).then(|| price(side, touch))
    }

    /// The level of the best price of `side`, when an order of the other side with this limit meets it.
    #[inline]
    pub fn met(&self, side: Side, limit: Price) -> Option<u32> {
        if self.touch[side as usize] < key(side, limit) {
            return None;
        }
        self.rungs(side).last().map(|rung| rung.level)
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

    /// The level of a price. Where there is none, `make` gives it.
    #[inline]
    pub fn level(&mut self, side: Side, price: Price, tick: Price, make: impl FnOnce() -> u32) -> u32 {
        let key = key(side, price);
        let ladder = &mut self.ladders[side as usize];
        match ladder.find(key, tick) {
            Ok(index) => ladder.rungs[index].level,
            Err(index) => {
                let level = make();
                ladder.rungs.insert(index, Rung { key, level });
                let touch = &mut self.touch[side as usize];
                *touch = key.max(*touch);
                level
            }
        }
    }

    /// The level of a price, or of the next better one, or of none.
    #[inline]
    pub fn level_near(&self, side: Side, price: Price, tick: Price) -> Option<u32> {
        let (Ok(index) | Err(index)) = self.ladders[side as usize].find(key(side, price), tick);
        self.rungs(side).get(index).map(|rung| rung.level)
    }

    /// Takes a price out at which nothing rests any more. `false`: it has no level, which must not be.
    pub fn close(&mut self, side: Side, price: Price, tick: Price) -> bool {
        let ladder = &mut self.ladders[side as usize];
        let Ok(index) = ladder.find(key(side, price), tick) else { return false };
        ladder.rungs.remove(index);
        self.touch[side as usize] = ladder.rungs.last().map_or(NOTHING, |rung| rung.key);
        true
    }

    /// Slots of one side in the order in which they match.
    pub fn queue<'s>(
        &'s self,
        side: Side,
        levels: &'s Slab<Level>,
        orders: &'s Slab<Order>,
    ) -> impl Iterator<Item = u32> + 's {
        self.rungs(side).iter().rev().flat_map(|rung| levels[rung.level].queue(orders))
    }

    pub fn bytes(&self) -> usize {
        let rungs = self.ladders.iter().map(|ladder| ladder.rungs.capacity()).sum::<usize>();
        rungs * size_of::<Rung>()
    }
}

/// A price at which something rests, and the level that holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rung {
    /// The price as [`key`] gives it.
    pub key: i64,
    pub level: u32,
}

/// One side of a book.
#[derive(Clone, Debug, Default)]
struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    /// Where `key` is, or where it would be.
    #[inline]
    fn find(&self, key: i64, tick: Price) -> Result<usize, usize> {
        let index =
            self.guess(key, tick).unwrap_or_else(|| self.rungs.partition_point(|rung| rung.key < key));
        match self.rungs.get(index) {
            Some(rung) if rung.key == key => Ok(index),
            _ => Err(index),
        }
    }

    /// Where `key` is or would be, if orders rest at nearly every tick down to there: ticks are counted instead of searched.
    #[inline]
    fn guess(&self, key: i64, tick: Price) -> Option<usize> {
        let best = self.rungs.last()?.key;
        if key > best {
            return Some(self.rungs.len());
        }
        let ticks = (best - key) / tick;
        let guess =
            self.rungs.len().checked_sub(NEAR)?.min(self.rungs.len().saturating_sub(1 + ticks as usize));
        let near = self.rungs[guess..].first_chunk::<NEAR>()?;
        let below = |worse: usize, at: usize| if near[at].key < key { at + 1 } else { worse };
        let is_near = near[0].key <= key && key <= near[NEAR - 1].key;
        is_near.then(|| guess + (0..NEAR).fold(0, below))
    }
}
