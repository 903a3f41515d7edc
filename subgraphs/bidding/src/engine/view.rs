//! What readers see: books as they are in the journal, never ahead of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use matching::{
    Amended, BookEvent, Cancelled, Change, Event, Expired, MarketId, MarketRules, Matched, Price, Rested,
    Side, State, Timestamp,
};

/// One market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub rules: MarketRules,
    /// Of the newest event in it.
    pub seq: u64,
    /// Pieces for each price.
    pub bids: BTreeMap<Price, u64>,
    pub asks: BTreeMap<Price, u64>,
    /// Price and time of the latest match since this process took the partition.
    pub last_match: Option<(Price, Timestamp)>,
}

impl Picture {
    pub fn best_bid(&self) -> Option<Price> {
        self.bids.last_key_value().map(|(price, _)| *price)
    }

    pub fn best_ask(&self) -> Option<Price> {
        self.asks.first_key_value().map(|(price, _)| *price)
    }

    fn change(&mut self, side: Side, price: Price, by: i64) {
        let depth = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        let quantity = depth.entry(price).or_default();
        *quantity = quantity.saturating_add_signed(by);
        if *quantity == 0 {
            depth.remove(&price);
        }
    }

    fn enter(&mut self, event: &BookEvent) {
        self.seq = event.seq;
        match event.change {
            Change::RulesSet(rules) => self.rules = rules,
            Change::Rested(Rested { side, price, quantity, .. }) => self.change(side, price, quantity.into()),
            Change::Matched(Matched { maker_side, price, quantity, .. }) => {
                self.change(maker_side, price, -i64::from(quantity));
                self.last_match = Some((price, event.ts));
            }
            Change::Cancelled(Cancelled { resting: true, side, price, quantity, .. })
            | Change::Expired(Expired { side, price, quantity, .. }) => {
                self.change(side, price, -i64::from(quantity));
            }
            Change::Amended(Amended {
                side, price_before, remaining_before, remaining, kept_place, ..
            }) => {
                let stays = if kept_place { i64::from(remaining) } else { 0 };
                self.change(side, price_before, stays - i64::from(remaining_before));
            }
            Change::Cancelled(_) | Change::Placed(_) | Change::PaymentFailed(_) | Change::Returned(_) => {}
        }
    }
}

/// A market in three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticker {
    pub lowest_ask: Option<Price>,
    pub highest_bid: Option<Price>,
    /// See [`Picture::last_match`].
    pub last_match: Option<(Price, Timestamp)>,
}

/// The markets of one partition as of its last durable row.
#[derive(Debug, Default)]
pub struct View {
    markets: RwLock<HashMap<MarketId, Picture>>,
}

impl View {
    pub fn market(&self, id: MarketId) -> Option<Picture> {
        self.read().get(&id).cloned()
    }

    /// A market's best prices and its latest match, without its depth.
    pub fn ticker(&self, id: MarketId) -> Option<Ticker> {
        let markets = self.read();
        let picture = markets.get(&id)?;
        let (highest_bid, lowest_ask) = (picture.best_bid(), picture.best_ask());
        Some(Ticker { lowest_ask, highest_bid, last_match: picture.last_match })
    }

    /// Starts over from a state in which everything is durable.
    pub(super) fn reset(&self, state: &State) {
        let pictures = state.markets().map(|market| {
            let depth = |side| market.depth(side).map(|depth| (depth.price, depth.quantity)).collect();
            let (bids, asks) = (depth(Side::Bid), depth(Side::Ask));
            (market.id(), Picture { rules: market.rules(), seq: market.seq(), bids, asks, last_match: None })
        });
        *self.write() = pictures.collect();
    }

    /// Adds what became durable.
    pub(super) fn enter(&self, events: &[Event]) {
        let mut markets = self.write();
        for event in events {
            let Event::Book(event) = event else { continue };
            let new = |rules| Picture {
                rules,
                seq: 0,
                bids: BTreeMap::new(),
                asks: BTreeMap::new(),
                last_match: None,
            };
            match (markets.get_mut(&event.market), event.change) {
                (Some(picture), _) => picture.enter(event),
                (None, Change::RulesSet(rules)) => {
                    markets.entry(event.market).or_insert(new(rules)).enter(event);
                }
                (None, _) => {}
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<MarketId, Picture>> {
        self.markets.read().expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<MarketId, Picture>> {
        self.markets.write().expect("no code panics while it holds this lock")
    }
}
