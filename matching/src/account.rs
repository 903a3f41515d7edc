//! Who has orders, how many, and where.

use crate::book::Order;
use crate::hash::Map;
use crate::slab::{NIL, Slab};
use crate::{AccountId, Limits, Refusal};

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub id: AccountId,
    /// Resting orders.
    pub orders: u32,
    /// Takes and keeps no asks.
    pub paused: bool,
}

/// An account at a market where it has orders.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub account: u32,
    pub market: u32,
    pub orders: u32,
}

/// Accounts and seats without orders stay until one of the maps would have to grow: who leaves often comes again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub accounts: Slab<Account>,
    pub seats: Slab<Seat>,
    account_of: Map<AccountId, u32>,
    seat_of: Map<u64, u32>,
}

/// Where an account stands before it places an order; [`NIL`] where it has nothing yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub account: u32,
    pub seat: u32,
}

#[inline]
fn place_of(account: u32, market: u32) -> u64 {
    u64::from(account) << 32 | u64::from(market)
}

impl Accounts {
    #[inline]
    pub fn find(&self, id: AccountId) -> Option<u32> {
        self.account_of.get(&id).copied()
    }

    #[inline]
    pub fn standing(&self, id: AccountId, market: u32) -> Standing {
        let Some(account) = self.find(id) else { return Standing { account: NIL, seat: NIL } };
        let seat = self.seat_of.get(&place_of(account, market)).copied().unwrap_or(NIL);
        Standing { account, seat }
    }

    pub fn is_paused_at(&self, standing: Standing) -> bool {
        standing.account != NIL && self.accounts[standing.account].paused
    }

    /// Whether one more resting order would be too many.
    #[inline]
    pub fn admit(&self, standing: Standing, limits: &Limits) -> Result<(), Refusal> {
        let orders = if standing.account == NIL { 0 } else { self.accounts[standing.account].orders };
        if orders >= limits.orders_per_account {
            return Err(Refusal::TooMany { max: limits.orders_per_account });
        }
        let orders = if standing.seat == NIL { 0 } else { self.seats[standing.seat].orders };
        if orders >= limits.orders_per_account_and_market {
            return Err(Refusal::TooManyInMarket { max: limits.orders_per_account_and_market });
        }
        Ok(())
    }

    #[inline]
    pub fn id(&self, account: u32) -> AccountId {
        self.accounts[account].id
    }

    /// The standing of `id` at `market` with account and seat, which are made when missing.
    #[inline]
    pub fn sit(&mut self, id: AccountId, market: u32, standing: Standing) -> Standing {
        if standing.seat != NIL {
            return standing;
        }
        let account = if standing.account == NIL { self.open(id) } else { standing.account };
        if self.seat_of.len() == self.seat_of.capacity() {
            self.sweep_seats();
        }
        let seat = self.seats.insert(Seat { account, market, orders: 0 });
        self.seat_of.insert(place_of(account, market), seat);
        Standing { account, seat }
    }

    #[cold]
    fn sweep_seats(&mut self) {
        let Self { seats, seat_of, .. } = self;
        seat_of.retain(|_, seat| {
            let stays = seats[*seat].orders > 0;
            if !stays {
                seats.free(*seat);
            }
            stays
        });
        // Without room after a sweep, sweeps would follow each other.
        seat_of.reserve(seat_of.len() / 2 + 1);
    }

    /// An account without orders has no seat after a sweep of the seats.
    #[cold]
    fn sweep_accounts(&mut self) {
        self.sweep_seats();
        let Self { accounts, account_of, .. } = self;
        account_of.retain(|_, account| {
            let stays = accounts[*account].orders > 0 || accounts[*account].paused;
            if !stays {
                accounts.free(*account);
            }
            stays
        });
        account_of.reserve(account_of.len() / 2 + 1);
    }

    fn open(&mut self, id: AccountId) -> u32 {
        if let Some(account) = self.find(id) {
            return account;
        }
        if self.account_of.len() == self.account_of.capacity() {
            self.sweep_accounts();
        }
        let account = self.accounts.insert(Account { id, orders: 0, paused: false });
        self.account_of.insert(id, account);
        account
    }

    /// Counts one more resting order.
    #[inline]
    pub fn join(&mut self, order: &Order) {
        self.seats[order.seat].orders += 1;
        self.accounts[order.account].orders += 1;
    }

    /// Counts one less.
    #[inline]
    pub fn leave(&mut self, account: u32, seat: u32) {
        self.accounts[account].orders -= 1;
        self.seats[seat].orders -= 1;
    }

    pub fn is_paused(&self, id: AccountId) -> bool {
        self.find(id).is_some_and(|account| self.accounts[account].paused)
    }

    pub fn pause(&mut self, id: AccountId) -> u32 {
        let account = self.open(id);
        self.accounts[account].paused = true;
        account
    }

    pub fn resume(&mut self, id: AccountId) {
        if let Some(account) = self.find(id) {
            self.accounts[account].paused = false;
        }
    }

    /// Every account that is paused, in order.
    pub fn paused(&self) -> Vec<AccountId> {
        let all = self.account_of.iter().filter(|(_, index)| self.accounts[**index].paused);
        let mut paused: Vec<AccountId> = all.map(|(id, _)| *id).collect();
        paused.sort_unstable();
        paused
    }

    /// Every account and every seat that is there, for checks.
    pub fn counts(&self) -> (impl Iterator<Item = (AccountId, u32)>, impl Iterator<Item = u32>) {
        (self.account_of.iter().map(|(id, index)| (*id, *index)), self.seat_of.values().copied())
    }

    pub fn bytes(&self) -> usize {
        self.accounts.bytes()
            + self.seats.bytes()
            + self.account_of.capacity() * (size_of::<(AccountId, u32)>() + 1)
            + self.seat_of.capacity() * (size_of::<(u64, u32)>() + 1)
    }
}
