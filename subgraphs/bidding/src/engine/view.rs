//! What readers see: books as they are in the journal, never ahead of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use matching::{BookEvent, Change, Event, MarketId, MarketRules, MarketView, Price, Side, State, Timestamp};
use tokio::sync::{OnceCell, watch};

use super::tape::{Shift, Step, Tape, Trade};

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
    /// A market without orders, before its first event.
    pub fn new(rules: MarketRules) -> Self {
        Self { rules, seq: 0, bids: BTreeMap::new(), asks: BTreeMap::new(), last_match: None }
    }

    fn of(market: MarketView<'_>) -> Self {
        let depth = |side| market.depth(side).map(|depth| (depth.price, depth.quantity)).collect();
        let (bids, asks) = (depth(Side::Bid), depth(Side::Ask));
        Self { rules: market.rules(), seq: market.seq(), bids, asks, last_match: None }
    }

    pub fn best_bid(&self) -> Option<Price> {
        self.bids.last_key_value().map(|(price, _)| *price)
    }

    pub fn best_ask(&self) -> Option<Price> {
        self.asks.first_key_value().map(|(price, _)| *price)
    }

    /// Makes one price deeper or shallower.
    pub fn shift(&mut self, Shift { side, price, by }: Shift) {
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
}

/// One market and how it came to be.
#[derive(Clone, Debug)]
pub struct Board {
    pub picture: Picture,
    pub tape: Tape,
}

impl Board {
    /// A market as it is in a state; `tape` is what is known of its steps.
    pub fn new(market: MarketView<'_>, tape: Option<Tape>) -> Self {
        let mut picture = Picture::of(market);
        let tape = tape.filter(|tape| tape.seq() == picture.seq);
        let tape = tape.unwrap_or_else(|| Tape::after(picture.seq));
        picture.last_match = tape.last_trade().map(|trade| (trade.price, trade.ts));
        Self { picture, tape }
    }

    /// A market that opens.
    pub fn opening(rules: MarketRules) -> Self {
        Self { picture: Picture::new(rules), tape: Tape::after(0) }
    }

    pub fn enter(&mut self, event: &BookEvent) {
        let Self { picture, tape } = self;
        picture.seq = event.seq;
        if let Change::RulesSet(rules) = event.change {
            picture.rules = rules;
        }
        let step = Step::of(event);
        if let Some(shift) = step.shift() {
            picture.shift(shift);
        }
        if let Some(Trade { price, ts, .. }) = step.trade() {
            picture.last_match = Some((*price, *ts));
        }
        tape.push(event.seq, step);
    }
}

/// A board and who waits for news of it.
#[derive(Debug)]
struct Watched {
    board: Board,
    /// The newest event's.
    news: watch::Sender<u64>,
}

impl Watched {
    fn new(board: Board) -> Self {
        Self { news: watch::Sender::new(board.picture.seq), board }
    }

    /// Wakes who waits, if there is something new.
    fn tell(&self) {
        let seq = self.board.picture.seq;
        self.news.send_if_modified(|told| std::mem::replace(told, seq) != seq);
    }
}

/// Steps of several markets, gathered while a journal is replayed.
#[derive(Debug, Default)]
pub struct Tapes(HashMap<MarketId, Tape>);

impl Tapes {
    pub fn hear(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Book(event) = event {
                let tape = self.0.entry(event.market).or_insert_with(|| Tape::after(event.seq - 1));
                tape.push(event.seq, Step::of(event));
            }
        }
    }
}

/// A market in three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticker {
    /// Of the newest event in it.
    pub seq: u64,
    pub lowest_ask: Option<Price>,
    pub highest_bid: Option<Price>,
    /// See [`Picture::last_match`].
    pub last_match: Option<(Price, Timestamp)>,
}

/// The markets of one partition as of its last durable row.
#[derive(Debug, Default)]
pub struct View {
    markets: RwLock<HashMap<MarketId, Watched>>,
    /// The last row of the journal that is in it.
    row: AtomicU64,
    /// Set when the tapes reach back as far as they can.
    pub(super) reached_back: OnceCell<()>,
}

impl View {
    pub fn market(&self, id: MarketId) -> Option<Picture> {
        self.look(id, |board| board.picture.clone())
    }

    /// A market's best prices and its latest match, without its depth.
    pub fn ticker(&self, id: MarketId) -> Option<Ticker> {
        self.look(id, |Board { picture, .. }| Ticker {
            seq: picture.seq,
            lowest_ask: picture.best_ask(),
            highest_bid: picture.best_bid(),
            last_match: picture.last_match,
        })
    }

    /// Looks at a market without copying it. Others wait meanwhile, the writer included: be short.
    pub fn look<T>(&self, id: MarketId, look: impl FnOnce(&Board) -> T) -> Option<T> {
        self.read().get(&id).map(|watched| look(&watched.board))
    }

    /// Hears the sequence of each newest event of a market; ends when another process takes it over.
    pub fn watch(&self, id: MarketId) -> Option<watch::Receiver<u64>> {
        self.read().get(&id).map(|watched| watched.news.subscribe())
    }

    /// The last row of the journal that is in it.
    pub fn row(&self) -> u64 {
        self.row.load(Ordering::Acquire)
    }

    /// Starts over from a state in which everything is durable, `row` the last. Who watches goes on watching.
    pub(super) fn reset(&self, state: &State, row: u64, mut replayed: Tapes) {
        let mut markets = self.write();
        for market in state.markets() {
            let id = market.id();
            let tape = replayed.0.remove(&id);
            match markets.get_mut(&id) {
                Some(watched) => {
                    let before = std::mem::replace(&mut watched.board.tape, Tape::after(0));
                    watched.board = Board::new(market, Some(joined(before, tape)));
                    watched.tell();
                }
                None => _ = markets.insert(id, Watched::new(Board::new(market, tape))),
            }
        }
        self.row.store(row, Ordering::Release);
    }

    /// Adds what became durable with `row`.
    pub(super) fn enter(&self, events: &[Event], row: u64) {
        let mut markets = self.write();
        for event in events {
            let Event::Book(event) = event else { continue };
            if let (false, Change::RulesSet(rules)) = (markets.contains_key(&event.market), event.change) {
                markets.insert(event.market, Watched::new(Board::opening(rules)));
            }
            if let Some(watched) = markets.get_mut(&event.market) {
                watched.board.enter(event);
            }
        }
        self.row.store(row, Ordering::Release);
        drop(markets);
        self.tell(events);
    }

    /// Wakes who waits for the markets of `events`, once for each run of them.
    fn tell(&self, events: &[Event]) {
        let markets = self.read();
        let mut told = None;
        for event in events {
            let Event::Book(BookEvent { market, .. }) = event else { continue };
            if told.replace(*market) != Some(*market)
                && let Some(watched) = markets.get(market)
            {
                watched.tell();
            }
        }
    }

    /// Puts older steps before what the tapes have.
    pub(super) fn reach_back(&self, older: &Tapes) {
        let mut markets = self.write();
        for (id, older) in &older.0 {
            if let Some(watched) = markets.get_mut(id) {
                watched.board.tape.reach_back(older);
            }
        }
    }

    /// Somebody else writes now: whoever watches here hears the end.
    pub(super) fn close(&self) {
        self.write().clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<MarketId, Watched>> {
        self.markets.read().expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<MarketId, Watched>> {
        self.markets.write().expect("no code panics while it holds this lock")
    }
}

fn joined(mut before: Tape, replayed: Option<Tape>) -> Tape {
    if let Some(replayed) = replayed {
        before.join(replayed);
    }
    before
}
