//! What became of each order number: the slot of one that rests, or how it ended.
//!
//! Numbers are dense, so this is an array and no hash map: numbers come to its end, and a page goes when all of its orders
//! have been closed long enough.

use std::collections::VecDeque;

use crate::{OrderId, Status, Timestamp};

pub(crate) const PAGE: usize = 1_024;

/// Entries from here on are no slots.
pub(crate) const SLOTS_MAX: u32 = u32::MAX - 8;
const INCOMING: u32 = u32::MAX;
const FILLED: u32 = u32::MAX - 1;
const CANCELLED: u32 = u32::MAX - 2;
const EXPIRED: u32 = u32::MAX - 3;
const NONE: u32 = u32::MAX - 4;

#[derive(Clone, Debug)]
pub(crate) struct Page {
    entries: Box<[u32; PAGE]>,
    /// Orders that are not closed.
    pub open: u32,
    /// When the last of them was closed.
    pub closed_at: Timestamp,
}

impl Page {
    pub fn new(closed_at: Timestamp) -> Self {
        Self { entries: Box::new([NONE; PAGE]), open: 0, closed_at }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    /// The number of the first page.
    pub base: u64,
    pub pages: Vec<Option<Page>>,
    /// Pages without an open order, with the time of the last close: those at the front go first.
    done: VecDeque<(Timestamp, u64)>,
    resting: usize,
}

#[inline]
fn at(order: OrderId) -> (u64, usize) {
    (order.0 / PAGE as u64, (order.0 % PAGE as u64) as usize)
}

fn entry_of(status: Status) -> u32 {
    match status {
        Status::Open => INCOMING,
        Status::Filled => FILLED,
        Status::Cancelled => CANCELLED,
        Status::Expired => EXPIRED,
    }
}

impl Numbers {
    /// The next order came in and rests at `slot`. Numbers come in order, without gaps.
    #[inline]
    pub fn add_resting(&mut self, order: OrderId, slot: u32, now: Timestamp) {
        if let Some(page) = self.last(order, now) {
            page.entries[at(order).1] = slot;
            page.open += 1;
            self.resting += 1;
        }
    }

    /// The next order came in and has ended already.
    #[inline]
    pub fn add_closed(&mut self, order: OrderId, status: Status, now: Timestamp) {
        if let Some(page) = self.last(order, now) {
            page.entries[at(order).1] = entry_of(status);
        }
    }

    /// The page of the next order.
    #[inline]
    fn last(&mut self, order: OrderId, now: Timestamp) -> Option<&mut Page> {
        let (page, _) = at(order);
        if page >= self.base + self.pages.len() as u64 {
            self.begin(page, now);
        }
        self.pages.last_mut()?.as_mut()
    }

    #[cold]
    fn begin(&mut self, page: u64, now: Timestamp) {
        if self.pages.is_empty() {
            self.base = page;
        }
        if let Some(full) = self.pages.last_mut().and_then(Option::as_mut).filter(|full| full.open == 0) {
            full.closed_at = now;
            self.done.push_back((now, page - 1));
        }
        self.pages.push(Some(Page::new(0)));
    }

    /// An order on its way in again rests.
    #[inline]
    pub fn rest(&mut self, order: OrderId, slot: u32) {
        let (page, index) = at(order);
        if let Some(page) = self.page_mut(page) {
            page.entries[index] = slot;
            self.resting += 1;
        }
    }

    /// Where an order rests.
    #[inline]
    pub fn slot(&self, order: OrderId) -> Option<u32> {
        self.entry(order).filter(|entry| *entry < SLOTS_MAX)
    }

    #[inline]
    pub fn close(&mut self, order: OrderId, status: Status, now: Timestamp) {
        let (number, index) = at(order);
        let is_complete = number + 1 < self.base + self.pages.len() as u64;
        let Some(page) = self.page_mut(number) else { return };
        let rested = page.entries[index] < SLOTS_MAX;
        page.entries[index] = entry_of(status);
        page.open -= 1;
        if page.open == 0 && is_complete {
            page.closed_at = now;
            self.done.push_back((now, number));
        }
        self.resting -= usize::from(rested);
    }

    /// A closed order is on its way in again.
    pub fn reopen(&mut self, order: OrderId) {
        let (number, index) = at(order);
        if let Some(page) = self.page_mut(number) {
            page.entries[index] = INCOMING;
            page.open += 1;
        }
    }

    /// Where an order stands; `None`: it never was, or that is forgotten.
    pub fn status(&self, order: OrderId) -> Option<Status> {
        match self.entry(order)? {
            FILLED => Some(Status::Filled),
            CANCELLED => Some(Status::Cancelled),
            EXPIRED => Some(Status::Expired),
            NONE => None,
            _ => Some(Status::Open),
        }
    }

    /// Orders that rest.
    pub fn resting(&self) -> usize {
        self.resting
    }

    #[inline]
    fn entry(&self, order: OrderId) -> Option<u32> {
        let (number, index) = at(order);
        let page = self.pages.get(usize::try_from(number.checked_sub(self.base)?).ok()?)?.as_ref()?;
        Some(page.entries[index])
    }

    #[inline]
    fn page_mut(&mut self, number: u64) -> Option<&mut Page> {
        self.pages.get_mut(usize::try_from(number.checked_sub(self.base)?).ok()?)?.as_mut()
    }

    /// Forgets pages that were done at `before` or earlier.
    #[inline]
    pub fn trim(&mut self, before: Timestamp) {
        while let Some((closed_at, number)) = self.done.front().copied().filter(|(at, _)| *at <= before) {
            self.drop_page(closed_at, number);
        }
    }

    #[cold]
    fn drop_page(&mut self, closed_at: Timestamp, number: u64) {
        self.done.pop_front();
        if self.page_mut(number).is_some_and(|page| page.open == 0 && page.closed_at == closed_at) {
            self.pages[(number - self.base) as usize] = None;
        }
        let gone = self.pages.iter().take_while(|page| page.is_none()).count();
        self.pages.drain(..gone);
        self.base += gone as u64;
    }

    /// From pages in which what is open is on its way in: [`rest`](Self::rest) follows for each.
    pub fn restore(base: u64, pages: Vec<Option<Page>>) -> Self {
        let complete = pages.len().saturating_sub(1);
        let done = pages.iter().take(complete).enumerate().filter_map(|(index, page)| {
            let page = page.as_ref().filter(|page| page.open == 0)?;
            Some((page.closed_at, base + index as u64))
        });
        let mut done: Vec<_> = done.collect();
        done.sort_unstable();
        Self { base, pages, done: done.into(), resting: 0 }
    }

    pub fn bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count();
        pages * PAGE * 4 + self.pages.capacity() * size_of::<Option<Page>>() + self.done.capacity() * 16
    }
}

impl Page {
    /// One byte for each number: 0 none, 1 open, then the ways to end.
    pub fn states(&self) -> impl Iterator<Item = u8> {
        self.entries.iter().map(|entry| match *entry {
            NONE => 0,
            FILLED => 2,
            CANCELLED => 3,
            EXPIRED => 4,
            _ => 1,
        })
    }

    /// Sets the state of an entry as [`states`](Self::states) gives it; `false`: there is no such state.
    pub fn set(&mut self, index: usize, state: u8) -> bool {
        let Some(entry) = [NONE, INCOMING, FILLED, CANCELLED, EXPIRED].get(usize::from(state)) else {
            return false;
        };
        self.entries[index] = *entry;
        self.open += u32::from(*entry == INCOMING);
        true
    }
}
