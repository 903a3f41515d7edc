//! Who has orders, and how many.

use crate::AccountId;
use crate::hash::hash_of_id;
use crate::index::Index;
use crate::slab::{NIL, Slab};
use crate::tally::Tallies;

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub id: AccountId,
    /// Resting orders.
    pub orders: u32,
    /// Takes and keeps no asks.
    pub paused: bool,
    /// Some of its orders are counted by market.
    pub tallied: bool,
}

/// Accounts without orders stay until the index would have to grow: who leaves often comes again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub accounts: Slab<Account>,
    index: Index,
    pub tallies: Tallies,
}

impl Accounts {
    #[inline]
    pub fn find(&self, id: AccountId) -> Option<u32> {
        self.index.find(hash_of_id(id.0), |account| self.accounts[account].id == id)
    }

    #[inline]
    pub fn id(&self, account: u32) -> AccountId {
        self.accounts[account].id
    }

    /// Resting orders of an account; [`NIL`] has none.
    #[inline]
    pub fn orders(&self, account: u32) -> u32 {
        if account == NIL { 0 } else { self.accounts[account].orders }
    }

    /// The account with this id, which is made when it is missing.
    pub fn open(&mut self, id: AccountId) -> u32 {
        if let Some(account) = self.find(id) {
            return account;
        }
        if self.index.is_full() {
            self.sweep();
        }
        let account = self.accounts.insert(Account { id, orders: 0, paused: false, tallied: false });
        self.index.insert(hash_of_id(id.0), account);
        account
    }

    /// Accounts that nothing is known of but their names go.
    #[cold]
    fn sweep(&mut self) {
        // Whoever gets the place of one of them must not get its tallies.
        self.tallies.sweep();
        let (mut stay, mut go) = (Vec::new(), Vec::new());
        for (index, account) in self.known() {
            let is_idle = account.orders == 0 && !account.paused;
            if is_idle { go.push(index) } else { stay.push((hash_of_id(account.id.0), index)) }
        }
        go.into_iter().for_each(|account| self.accounts.free(account));
        self.index = Index::of(stay.into_iter());
    }

    /// Counts one more resting order.
    #[inline]
    pub fn join(&mut self, account: u32, market: u32) {
        let joined = &mut self.accounts[account];
        joined.orders += 1;
        if joined.tallied {
            self.tallies.add(account, market);
        }
    }

    /// Counts one less.
    #[inline]
    pub fn leave(&mut self, account: u32, market: u32) {
        let left = &mut self.accounts[account];
        left.orders -= 1;
        if left.tallied {
            self.tallies.take(account, market);
        }
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
        let all = self.known().filter(|(_, account)| account.paused);
        let mut paused: Vec<AccountId> = all.map(|(_, account)| account.id).collect();
        paused.sort_unstable();
        paused
    }

    /// Every account with its position. What lies in a free place is not found there.
    pub fn known(&self) -> impl Iterator<Item = (u32, &Account)> {
        self.accounts.places().filter(|(place, account)| self.find(account.id) == Some(*place))
    }

    pub fn bytes(&self) -> usize {
        self.accounts.bytes() + self.index.bytes() + self.tallies.bytes()
    }
}
