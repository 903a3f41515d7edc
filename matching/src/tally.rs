//! The caps on resting orders, and who is counted where.
//!
//! Who has fewer orders than the cap of one market has fewer in each: nothing is counted for most accounts. Whoever reaches
//! it is counted, from then on, in the markets where it places orders.

use crate::hash::Map;
use crate::slab::NIL;
use crate::{Refusal, Side, State};

/// Resting orders of an account in a market, for some of both. Those that fell to 0 stay until the map would have to grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallies {
    orders: Map<u64, u32>,
}

#[inline]
fn pair(account: u32, market: u32) -> u64 {
    u64::from(account) << 32 | u64::from(market)
}

impl Tallies {
    pub fn get(&self, account: u32, market: u32) -> Option<u32> {
        self.orders.get(&pair(account, market)).copied()
    }

    fn begin(&mut self, account: u32, market: u32, orders: u32) {
        if self.orders.len() == self.orders.capacity() {
            self.sweep();
        }
        self.orders.insert(pair(account, market), orders);
    }

    pub fn add(&mut self, account: u32, market: u32) {
        if let Some(orders) = self.orders.get_mut(&pair(account, market)) {
            *orders += 1;
        }
    }

    pub fn take(&mut self, account: u32, market: u32) {
        if let Some(orders) = self.orders.get_mut(&pair(account, market)) {
            *orders -= 1;
        }
    }

    pub fn sweep(&mut self) {
        self.orders.retain(|_, orders| *orders > 0);
        // Without room after a sweep, sweeps would follow each other.
        self.orders.reserve(self.orders.len() / 2 + 1);
    }

    /// Every account and market that is counted, and its orders.
    pub fn all(&self) -> impl Iterator<Item = ((u32, u32), u32)> {
        self.orders.iter().map(|(pair, orders)| (((pair >> 32) as u32, *pair as u32), *orders))
    }

    pub fn bytes(&self) -> usize {
        self.orders.capacity() * (size_of::<(u64, u32)>() + 1)
    }
}

impl State {
    /// R19: whether one more resting order would be too many.
    #[inline]
    pub(crate) fn admit_one_more(&mut self, account: u32, market: u32) -> Result<(), Refusal> {
        let (everywhere, here) = (self.limits.orders_per_account, self.limits.orders_per_account_and_market);
        let orders = self.accounts.orders(account);
        if orders >= everywhere {
            return Err(Refusal::TooMany { max: everywhere });
        }
        if orders >= here && self.tally(account, market) >= here {
            return Err(Refusal::TooManyInMarket { max: here });
        }
        Ok(())
    }

    /// Resting orders of an account in a market. Whom it does not know it counts once, by walking the market's book.
    #[cold]
    fn tally(&mut self, account: u32, market: u32) -> u32 {
        if account == NIL {
            return 0;
        }
        if let Some(orders) = self.accounts.tallies.get(account, market) {
            return orders;
        }
        let book = self.markets.book(market);
        let queues =
            [Side::Bid, Side::Ask].into_iter().flat_map(|side| book.queue(side, &self.levels, &self.orders));
        let orders = queues.filter(|slot| self.orders[*slot].account == account).count() as u32;
        self.accounts.tallies.begin(account, market, orders);
        self.accounts.accounts[account].tallied = true;
        orders
    }
}
