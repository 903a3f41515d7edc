//! Invariants. Those that cost nothing are watched at every command; [`State::audit`] checks them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::book::{self, Book};
use crate::calendar::{NEVER, hour_begin};
use crate::slab::NIL;
use crate::{Side, State, Timestamp};

/// Resting orders by account and market.
type Seats = BTreeMap<(u32, u32), u32>;

/// An invariant that does not hold: a fault of the engine. Whoever runs it stops using this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Bids and asks meet at rest.
    Crossed,
    /// An order rests at a price that has no level.
    LevelMissing,
    /// Levels out of order, or one of them empty.
    Ladder,
    /// A queue that is not in the order of its sequences, or does not add up to its level.
    Queue,
    /// The index of orders is not what rests.
    Orders,
    /// Counts of accounts are not those of their orders.
    Accounts,
    /// An order rests whose end nothing waits for.
    Calendar,
    /// An order rests that is dead, or empty.
    Dead,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the engine broke an invariant: {self:?}")
    }
}

impl std::error::Error for Broken {}

impl State {
    /// What was found broken while commands were applied; `None`: nothing.
    pub fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// Checks every invariant; reads the whole state.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn audit(&self) -> Result<(), Broken> {
        self.broken.map_or(Ok(()), Err)?;
        let mut seats = Seats::new();
        let mut orders = 0;
        for market in 0..self.markets.len() {
            let book = self.markets.book(market);
            ensure(!book.is_crossed(), Broken::Crossed)?;
            for side in [Side::Bid, Side::Ask] {
                orders += self.audit_side(market, book, side, &mut seats)?;
            }
        }
        ensure(orders == self.numbers.resting(), Broken::Orders)?;
        self.audit_calendar()?;
        self.audit_accounts(&seats)
    }

    fn audit_side(&self, market: u32, book: &Book, side: Side, seats: &mut Seats) -> Result<usize, Broken> {
        let rungs = book.rungs(side);
        ensure(rungs.is_sorted_by(|worse, better| worse.key < better.key), Broken::Ladder)?;
        let best = rungs.last().map(|rung| book::price(side, rung.key));
        ensure(book.best(side) == best, Broken::Ladder)?;
        let mut orders = 0;
        for rung in rungs {
            let level = &self.levels[rung.level];
            let (mut ahead, mut quantity, mut count, mut sequence) = (NIL, 0, 0, 0);
            for slot in level.queue(&self.orders) {
                let order = &self.orders[slot];
                ensure(order.ahead == ahead, Broken::Queue)?;
                ensure(order.sequence > sequence, Broken::Queue)?;
                ensure(book::key(side, order.price) == rung.key && order.side == side, Broken::Queue)?;
                ensure(order.level == rung.level, Broken::Queue)?;
                ensure(order.remaining > 0 && order.expires_at > self.now, Broken::Dead)?;
                ensure(self.numbers.slot(order.id) == Some(slot), Broken::Orders)?;
                ensure(order.market == market, Broken::Orders)?;
                *seats.entry((order.account, market)).or_default() += 1;
                (quantity, count, sequence) =
                    (quantity + u64::from(order.remaining), count + 1, order.sequence);
                ahead = slot;
            }
            ensure(count > 0, Broken::Ladder)?;
            ensure(
                ahead == level.last && quantity == level.quantity && count == level.orders,
                Broken::Queue,
            )?;
            orders += count as usize;
        }
        Ok(orders)
    }

    /// Whatever dies has its entry.
    fn audit_calendar(&self) -> Result<(), Broken> {
        let listed: BTreeSet<(Timestamp, u32)> = self.calendar.listed().collect();
        for (slot, order) in self.orders.places().filter(|(_, order)| order.id.0 > 0) {
            let is_listed = listed.contains(&(order.expires_at, slot))
                || listed.contains(&(hour_begin(order.expires_at), slot));
            ensure(is_listed || order.expires_at == NEVER, Broken::Calendar)?;
        }
        Ok(())
    }

    fn audit_accounts(&self, seats: &Seats) -> Result<(), Broken> {
        let mut totals: BTreeMap<u32, u32> = BTreeMap::new();
        for ((account, _), orders) in seats {
            *totals.entry(*account).or_default() += orders;
        }
        for (index, account) in self.accounts.known() {
            let orders = totals.remove(&index).unwrap_or_default();
            ensure(account.orders == orders, Broken::Accounts)?;
        }
        for (seat, orders) in self.accounts.tallies.all() {
            ensure(seats.get(&seat).copied().unwrap_or_default() == orders, Broken::Accounts)?;
            ensure(self.accounts.accounts[seat.0].tallied, Broken::Accounts)?;
        }
        ensure(totals.is_empty(), Broken::Accounts)
    }
}

fn ensure(holds: bool, otherwise: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(otherwise) }
}
