//! Best prices that came with the answers of other processes: whoever bid here sees what came of it here, also when the rows
//! lag behind.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use matching::MarketId;

use crate::engine::Ticker;

/// Markets whose prices are kept; with one more all are forgotten, and the rows count again.
const MARKETS_MAX: usize = 4_096;

/// The newest ticker that was heard of each market, until its row has caught up.
#[derive(Default)]
pub(super) struct Heard(Mutex<HashMap<MarketId, Ticker>>);

impl Heard {
    pub fn hear(&self, market: MarketId, ticker: Ticker) {
        let mut heard = self.lock();
        if heard.len() >= MARKETS_MAX && !heard.contains_key(&market) {
            heard.clear();
        }
        let newest = heard.entry(market).or_insert(ticker);
        if newest.seq < ticker.seq {
            *newest = ticker;
        }
    }

    /// What was heard after the market's event `row_seq`. What is not newer is forgotten.
    pub fn newer_than(&self, market: MarketId, row_seq: u64) -> Option<Ticker> {
        let mut heard = self.lock();
        let ticker = *heard.get(&market)?;
        if ticker.seq > row_seq {
            return Some(ticker);
        }
        heard.remove(&market);
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MarketId, Ticker>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(seq: u64) -> Ticker {
        Ticker { seq, lowest_ask: Some(seq as i64), ..Ticker::default() }
    }

    #[test]
    fn the_newest_counts_until_the_row_is_as_new() {
        let (heard, market) = (Heard::default(), MarketId(1));
        for seq in [3, 5, 4] {
            heard.hear(market, ticker(seq));
        }
        assert_eq!(heard.newer_than(market, 4), Some(ticker(5)));
        assert_eq!(heard.newer_than(MarketId(2), 0), None);
        assert_eq!(heard.newer_than(market, 5), None);
        assert_eq!(heard.newer_than(market, 0), None, "it was forgotten");
    }

    #[test]
    fn no_more_markets_are_kept_than_there_is_room_for() {
        let heard = Heard::default();
        for market in 0..=MARKETS_MAX as u128 {
            heard.hear(MarketId(market), ticker(1));
        }
        assert!(heard.lock().len() <= MARKETS_MAX);
        assert_eq!(heard.newer_than(MarketId(MARKETS_MAX as u128), 0), Some(ticker(1)));
    }
}
