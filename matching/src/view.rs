//! What can be read of a state.

use crate::book::{self, Book, Order};
use crate::level::{self, Level};
use crate::market::Market;
use crate::{
    AccountId, Limits, MarketId, MarketRules, OrderId, Price, Quantity, Sequence, Side, State, Status,
    Timestamp,
};

/// One price of a book with everything that rests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub price: Price,
    pub quantity: u64,
    pub orders: u32,
}

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderView {
    pub order: OrderId,
    pub account: AccountId,
    pub market: MarketId,
    pub side: Side,
    pub price: Price,
    pub remaining: Quantity,
    pub filled: Quantity,
    pub expires_at: Timestamp,
    pub sequence: Sequence,
}

/// One market.
#[derive(Clone, Copy, Debug)]
pub struct MarketView<'s> {
    state: &'s State,
    index: u32,
}

impl State {
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The latest time that a command brought.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether time has something to do at `now`: orders may be due. Then a [`Tick`](crate::Action::Tick) is worth its while.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.calendar.is_due(now)
    }

    /// A running digest of every order that came to rest, matched, changed or left: two states that lived through the same
    /// have the same. It costs nothing to ask; [`digest`](Self::digest) is about the state as a whole and reads all of it.
    pub fn pulse(&self) -> u64 {
        self.pulse
    }

    pub fn market(&self, id: MarketId) -> Option<MarketView<'_>> {
        self.markets.find(id).map(|index| MarketView { state: self, index })
    }

    /// Every market, in the order in which they were opened.
    pub fn markets(&self) -> impl Iterator<Item = MarketView<'_>> {
        (0..self.markets.len()).map(|index| MarketView { state: self, index })
    }

    /// An order that rests.
    pub fn order(&self, id: OrderId) -> Option<OrderView> {
        self.numbers.slot(id).map(|slot| self.view(slot))
    }

    /// Where an order stands; `None`: it never was, or that is forgotten.
    pub fn status(&self, id: OrderId) -> Option<Status> {
        self.numbers.status(id)
    }

    /// Pieces ahead of an order in the queue of its price, and orders. Walks the queue.
    pub fn ahead(&self, id: OrderId) -> Option<(u64, u32)> {
        let ahead = level::ahead(&self.orders, self.numbers.slot(id)?);
        Some(ahead.fold((0, 0), |(pieces, orders), slot| {
            (pieces + u64::from(self.orders[slot].remaining), orders + 1)
        }))
    }

    /// Orders that rest.
    pub fn orders_len(&self) -> usize {
        self.numbers.resting()
    }

    pub fn is_selling_paused(&self, account: AccountId) -> bool {
        self.accounts.is_paused(account)
    }

    /// Bytes on the heap, near enough.
    pub fn bytes(&self) -> usize {
        self.markets.bytes()
            + self.orders.bytes()
            + self.levels.bytes()
            + self.accounts.bytes()
            + self.calendar.bytes()
            + self.numbers.bytes()
            + self.keys.bytes()
            + self.trades.bytes()
    }

    pub(crate) fn view(&self, slot: u32) -> OrderView {
        let Order { id, side, price, remaining, filled, expires_at, sequence, account, market, .. } =
            self.orders[slot];
        let market = self.markets.get(market).id;
        let account = self.accounts.id(account);
        OrderView { order: id, account, market, side, price, remaining, filled, expires_at, sequence }
    }
}

impl<'s> MarketView<'s> {
    fn market(&self) -> &'s Market {
        self.state.markets.get(self.index)
    }

    fn book(&self) -> &'s Book {
        self.state.markets.book(self.index)
    }

    pub fn id(&self) -> MarketId {
        self.market().id
    }

    pub fn rules(&self) -> MarketRules {
        *self.state.markets.rules(self.index)
    }

    /// Of the market's newest event.
    pub fn seq(&self) -> u64 {
        self.market().seq
    }

    /// The highest bid or the lowest ask.
    pub fn best(&self, side: Side) -> Option<Price> {
        self.book().best(side)
    }

    /// Prices from the best to the worst.
    pub fn depth(self, side: Side) -> impl Iterator<Item = Depth> + 's {
        self.book().rungs(side).iter().rev().map(move |rung| {
            let Level { quantity, orders, .. } = self.state.levels[rung.level];
            Depth { price: book::price(side, rung.key), quantity, orders }
        })
    }

    /// Orders of one side in the order in which they match.
    pub fn queue(self, side: Side) -> impl Iterator<Item = OrderView> + 's {
        self.book().queue(side, &self.state.levels, &self.state.orders).map(move |slot| self.state.view(slot))
    }
}
