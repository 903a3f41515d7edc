//! Where clients of feeds come: it knows which market is where, and what was worked out for others already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use chassis::{Database, Denied};
use entity::bidding::market;
use futures::Stream;
use matching::MarketId;

use super::candles::live_candle;
use super::follow::{Terms, Update, follow};
use super::reader::Answers;
use super::tickers::{Ticker, tickers};
use crate::candle::{Candle, Interval};
use crate::engine::{Handle, Projection, SqlJournal};
use crate::floor::{ELSEWHERE, Floor, NoAnswer};
use crate::market::engine_id;

/// Watched markets after which those that nobody watches any more are forgotten; from then on at twice what was left.
const CLEAR_AT: usize = 256;

/// The public feeds of this process.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    db: Database,
    floor: Floor,
    shared: Mutex<Shared>,
}

/// What clients of a market share, as long as there are any.
struct Shared {
    by_market: HashMap<MarketId, Weak<Mutex<Answers>>>,
    clear_at: usize,
}

impl Desk {
    pub fn new(db: Database, floor: Floor) -> Self {
        let shared = Mutex::new(Shared { by_market: HashMap::new(), clear_at: CLEAR_AT });
        Self(Arc::new(Inner { db, floor, shared }))
    }

    /// A market's feed.
    ///
    /// # Errors
    /// Another process writes the market, or the journal cannot be read.
    pub async fn follow(
        &self,
        market: &market::Model,
        terms: Terms,
    ) -> Result<impl Stream<Item = Update> + Send + use<>, NoAnswer> {
        let id = engine_id(market.id);
        let journal = SqlJournal::new(self.0.db.clone(), market.partition as u32);
        let feed = follow(self.handle(market).await?, &journal, id, terms, self.answers(id)).await?;
        feed.ok_or(NoAnswer::Denied(Denied::NotNow(ELSEWHERE)))
    }

    /// The tickers of markets.
    ///
    /// # Errors
    /// Another process writes one of them.
    pub async fn tickers(
        &self,
        markets: &[market::Model],
    ) -> Result<impl Stream<Item = Ticker> + Send + use<>, NoAnswer> {
        let mut places = Vec::new();
        for market in markets {
            places.push((engine_id(market.id), self.handle(market).await?));
        }
        Ok(tickers(places))
    }

    /// A market's latest candle.
    ///
    /// # Errors
    /// Another process writes the market, or its rows cannot be read.
    pub async fn candle(
        &self,
        market: &market::Model,
        interval: Interval,
    ) -> Result<impl Stream<Item = Candle> + Send + use<>, NoAnswer> {
        let projection = Projection::new(self.0.db.clone(), market.partition as u32);
        let candle =
            live_candle(&projection, self.handle(market).await?, engine_id(market.id), interval).await?;
        candle.ok_or(NoAnswer::Denied(Denied::NotNow(ELSEWHERE)))
    }

    async fn handle(&self, market: &market::Model) -> Result<Handle, NoAnswer> {
        self.0.floor.handle(market.partition as u32).await
    }

    fn answers(&self, market: MarketId) -> Arc<Mutex<Answers>> {
        self.0.shared.lock().expect("no code panics while it holds this lock").of(market)
    }
}

impl Shared {
    fn of(&mut self, market: MarketId) -> Arc<Mutex<Answers>> {
        if let Some(answers) = self.by_market.get(&market).and_then(Weak::upgrade) {
            return answers;
        }
        if self.by_market.len() >= self.clear_at {
            self.by_market.retain(|_, answers| answers.strong_count() > 0);
            self.clear_at = CLEAR_AT.max(2 * self.by_market.len());
        }
        let answers = Arc::default();
        self.by_market.insert(market, Arc::downgrade(&answers));
        answers
    }
}
