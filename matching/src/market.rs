//! The markets: names, rules, books. One without orders takes 32 bytes and its entry in the index.

use crate::book::Book;
use crate::hash::hash_of_id;
use crate::index::Index;
use crate::slab::{Slab, push};
use crate::{MarketId, MarketRules};

#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub id: MarketId,
    /// Of the newest event.
    pub seq: u64,
    rules: u32,
    /// [`BLANK`] until an order rests here.
    book: u32,
}

/// The book of all markets in which no order ever rested.
const BLANK: u32 = 0;
/// Rules that are compared before a market gets rules of its own.
const RULES_TRIED: usize = 64;

#[derive(Clone, Debug)]
struct Shared {
    rules: MarketRules,
    /// Markets that have these rules; 0: the place is free.
    markets: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Markets {
    markets: Vec<Market>,
    index: Index,
    /// Most markets have the same rules as others.
    rules: Slab<Shared>,
    books: Vec<Book>,
}

impl Default for Markets {
    fn default() -> Self {
        let (markets, index, rules) = (Vec::new(), Index::default(), Slab::default());
        Self { markets, index, rules, books: vec![Book::default()] }
    }
}

impl Markets {
    #[inline]
    pub fn find(&self, id: MarketId) -> Option<u32> {
        self.index.find(hash_of_id(id.0), |market| self.markets[market as usize].id == id)
    }

    #[inline]
    pub fn get(&self, market: u32) -> &Market {
        &self.markets[market as usize]
    }

    pub fn len(&self) -> u32 {
        self.markets.len() as u32
    }

    pub fn open(&mut self, id: MarketId, rules: MarketRules) -> u32 {
        let (market, rules) = (self.markets.len() as u32, self.share(rules));
        push(&mut self.markets, Market { id, seq: 0, rules, book: BLANK });
        self.index.insert(hash_of_id(id.0), market);
        market
    }

    #[inline]
    pub fn rules(&self, market: u32) -> &MarketRules {
        &self.rules[self.get(market).rules].rules
    }

    pub fn set_rules(&mut self, market: u32, rules: MarketRules) {
        let shared = self.share(rules);
        let before = std::mem::replace(&mut self.markets[market as usize].rules, shared);
        self.rules[before].markets -= 1;
        if self.rules[before].markets == 0 {
            self.rules.free(before);
        }
    }

    /// The place of rules for one more market.
    fn share(&mut self, rules: MarketRules) -> u32 {
        let is_same = |shared: &Shared| shared.markets > 0 && shared.rules == rules;
        let same = self.rules.places().take(RULES_TRIED).find(|(_, shared)| is_same(shared));
        let same = same.map(|(place, _)| place);
        let place = same.unwrap_or_else(|| self.rules.insert(Shared { rules, markets: 0 }));
        self.rules[place].markets += 1;
        place
    }

    #[inline]
    pub fn book(&self, market: u32) -> &Book {
        &self.books[self.get(market).book as usize]
    }

    /// For orders that rest already.
    #[inline]
    pub fn book_mut(&mut self, market: u32) -> &mut Book {
        &mut self.books[self.markets[market as usize].book as usize]
    }

    /// For an order that begins to rest.
    #[inline]
    pub fn own_book_mut(&mut self, market: u32) -> &mut Book {
        let book = &mut self.markets[market as usize].book;
        if *book == BLANK {
            *book = self.books.len() as u32;
            self.books.push(Book::default());
        }
        &mut self.books[*book as usize]
    }

    /// The market's name and the number of its next event.
    #[inline]
    pub fn step(&mut self, market: u32) -> (MarketId, u64) {
        let market = &mut self.markets[market as usize];
        market.seq += 1;
        (market.id, market.seq)
    }

    /// A market goes on from an event.
    pub fn go_on(&mut self, market: u32, seq: u64) {
        self.markets[market as usize].seq = seq;
    }

    pub fn bytes(&self) -> usize {
        let books: usize = self.books.iter().map(|book| size_of::<Book>() + book.bytes()).sum();
        let slack = (self.books.capacity() - self.books.len()) * size_of::<Book>();
        let markets = self.markets.capacity() * size_of::<Market>();
        books + slack + markets + self.index.bytes() + self.rules.bytes()
    }
}
