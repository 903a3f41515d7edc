//! Invariants. Those that cost nothing are watched at every command; [`State::audit`] checks them all.

use std::collections::BTreeMap;
use std::fmt;

use crate::book::{self, Ladder, Market};
use crate::slab::NIL;
use crate::{Side, State};

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
        let mut seats: BTreeMap<u32, u32> = BTreeMap::new();
        let mut orders = 0;
        for (index, market) in self.markets.iter().enumerate() {
            ensure(!market.is_crossed(), Broken::Crossed)?;
            for side in [Side::Bid, Side::Ask] {
                orders += self.audit_side(index as u32, market, side, &mut seats)?;
            }
        }
        ensure(orders == self.numbers.resting(), Broken::Orders)?;
        self.audit_accounts(&seats)
    }

    fn audit_side(
        &self,
        index: u32,
        market: &Market,
        side: Side,
        seats: &mut BTreeMap<u32, u32>,
    ) -> Result<usize, Broken> {
        let ladder: &Ladder = market.ladder(side);
        ensure(ladder.levels().is_sorted_by(|worse, better| worse.key < better.key), Broken::Ladder)?;
        let mut orders = 0;
        for level in ladder.levels() {
            let (mut slot, mut ahead, mut quantity, mut count, mut sequence) = (level.first, NIL, 0, 0, 0);
            while slot != NIL {
                let order = &self.orders[slot];
                ensure(order.ahead == ahead && order.sequence > sequence, Broken::Queue)?;
                ensure(book::key(side, order.price) == level.key && order.side == side, Broken::Queue)?;
                ensure(order.remaining > 0 && order.expires_at > self.now, Broken::Dead)?;
                ensure(self.numbers.slot(order.id) == Some(slot), Broken::Orders)?;
                let seat = &self.accounts.seats[order.seat];
                ensure(seat.market == index && seat.account == order.account, Broken::Accounts)?;
                *seats.entry(order.seat).or_default() += 1;
                (quantity, count, sequence) =
                    (quantity + u64::from(order.remaining), count + 1, order.sequence);
                (ahead, slot) = (slot, order.behind);
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

    fn audit_accounts(&self, seats: &BTreeMap<u32, u32>) -> Result<(), Broken> {
        let (accounts, seated) = self.accounts.counts();
        let mut totals: BTreeMap<u32, u32> = BTreeMap::new();
        let mut known = 0;
        for seat in seated {
            let orders = self.accounts.seats[seat].orders;
            ensure(seats.get(&seat).copied().unwrap_or_default() == orders, Broken::Accounts)?;
            *totals.entry(self.accounts.seats[seat].account).or_default() += orders;
            known += usize::from(orders > 0);
        }
        ensure(known == seats.len(), Broken::Accounts)?;
        for (id, index) in accounts {
            let account = &self.accounts.accounts[index];
            let orders = totals.remove(&index).unwrap_or_default();
            ensure(account.id == id && account.orders == orders, Broken::Accounts)?;
        }
        ensure(totals.is_empty(), Broken::Accounts)
    }
}

fn ensure(holds: bool, otherwise: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(otherwise) }
}
