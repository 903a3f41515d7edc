//! I10: whatever a client missed, what it built is the engine's book.

use std::collections::BTreeMap;

use matching::*;
use proptest::prelude::*;

use super::*;
use crate::engine::{Board, STEPS_MAX, Step, Tape};

const MARKET: MarketId = MarketId(1);
const OTHER: MarketId = MarketId(2);
const CLIENTS: usize = 6;

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = digest_of(&self.0.to_be_bytes());
        self.0 % end
    }
}

/// An engine with two markets, and the board of one.
struct Play {
    random: Random,
    state: State,
    board: Board,
    ts: Timestamp,
    /// Matches of the market, by its sequence.
    trades: Vec<(u64, TradeId)>,
    tape: Tape,
}

impl Play {
    fn new(seed: u64) -> Self {
        let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000_000 };
        let mut play = Self {
            random: Random(seed),
            state: State::new(Limits::default()),
            board: Board::opening(rules),
            ts: 1,
            trades: Vec::new(),
            tape: Tape::after(0),
        };
        play.apply(Action::SetMarket { market: MARKET, rules });
        play.apply(Action::SetMarket { market: OTHER, rules });
        play
    }

    fn apply(&mut self, action: Action) {
        let mut events = Vec::new();
        apply(&mut self.state, &Command { ts: self.ts, action }, &mut events);
        for event in events {
            let Event::Book(event) = event else { continue };
            if event.market != MARKET {
                continue;
            }
            self.board.enter(&event);
            self.tape.push(event.seq, Step::of(&event));
            if let Change::Matched(matched) = event.change {
                self.trades.push((event.seq, matched.trade));
            }
        }
    }

    fn step(&mut self) {
        let random = &mut self.random;
        self.ts += random.below(3_000_000) as Timestamp;
        let account = AccountId(random.below(9).into());
        let order = OrderId(1 + random.below(self.state.orders_len() as u64 * 2 + 20));
        let price = 9_000 + 100 * random.below(24) as Price;
        let quantity = 1 + random.below(4) as Quantity;
        let action = match random.below(12) {
            0 => Action::Cancel(Cancel { account, key: None, order }),
            1 => Action::Amend(Amend {
                account,
                key: None,
                order,
                price: (random.below(2) == 0).then_some(price),
                quantity: Some(quantity),
                expires_at: None,
            }),
            2 => Action::PaymentFailed { trade: TradeId(1 + random.below(self.trades.len() as u64 + 1)) },
            3 => Action::Place(Place::immediate(account, MARKET, self.side(), price, quantity)),
            4 => Action::Place(Place::resting(account, OTHER, self.side(), price, quantity)),
            _ => {
                let life = Life::Rest { expires_at: Some(self.ts + 1 + random.below(200_000_000) as i64) };
                let place = Place::resting(account, MARKET, self.side(), price, quantity);
                Action::Place(Place { life, self_trade: SelfTrade::ExpireMaker, ..place })
            }
        };
        self.apply(action);
    }

    fn side(&mut self) -> Side {
        if self.random.below(2) == 0 { Side::Bid } else { Side::Ask }
    }

    /// Another process took over: its board comes from the state, its tape from what it replayed.
    fn restart(&mut self) {
        let replayed = self.random.below(40);
        let from = self.tape.seq().saturating_sub(replayed).max(self.tape.first() - 1);
        let mut tape = Tape::after(from);
        for (seq, step) in (from + 1..).zip(self.tape.since(from).unwrap()) {
            tape.push(seq, *step);
        }
        self.board = Board::new(self.state.market(MARKET).unwrap(), Some(tape));
        if self.random.below(2) == 0 {
            self.board.tape.reach_back(&self.tape);
        }
    }

    /// The engine's own depth.
    fn depth(&self, levels: usize) -> Ladder {
        let market = self.state.market(MARKET).unwrap();
        let depth = |side| {
            let levels = market.depth(side).take(levels);
            levels.map(|depth| Level { price: depth.price, quantity: depth.quantity }).collect()
        };
        Ladder { bids: depth(Side::Bid), asks: depth(Side::Ask) }
    }
}

/// What a client does with what it hears; nothing of it is the server's.
#[derive(Default)]
struct Replica {
    seq: u64,
    bids: BTreeMap<Price, u64>,
    asks: BTreeMap<Price, u64>,
    trades: Vec<TradeId>,
}

impl Replica {
    fn begin(&mut self, snapshot: &Snapshot) {
        let side = |levels: &[Level]| levels.iter().map(|level| (level.price, level.quantity)).collect();
        *self = Self {
            seq: snapshot.seq,
            bids: side(&snapshot.ladder.bids),
            asks: side(&snapshot.ladder.asks),
            trades: Vec::new(),
        };
    }

    fn hear(&mut self, delta: &Delta) {
        assert_eq!(
            (delta.prev_seq, delta.first_seq),
            (self.seq, self.seq + 1),
            "a delta fits on what there is"
        );
        assert!(delta.seq >= delta.first_seq);
        for (side, changes) in [(&mut self.bids, &delta.changes.bids), (&mut self.asks, &delta.changes.asks)]
        {
            for Level { price, quantity } in changes {
                match quantity {
                    0 => assert!(side.remove(price).is_some(), "only what is shown is removed"),
                    quantity => _ = side.insert(*price, *quantity),
                }
            }
        }
        self.trades.extend(delta.trades.iter().map(|(_, trade)| trade.trade));
        self.seq = delta.seq;
    }

    fn ladder(&self) -> Ladder {
        let level = |(price, quantity): (&Price, &u64)| Level { price: *price, quantity: *quantity };
        Ladder {
            bids: self.bids.iter().rev().map(level).collect(),
            asks: self.asks.iter().map(level).collect(),
        }
    }
}

struct Client {
    levels: usize,
    /// Of a hundred steps, those after which it reads.
    eagerness: u64,
    reader: Option<Reader>,
    replica: Replica,
    /// The sequence after which it has heard every trade.
    since: u64,
}

#[derive(Debug, Default)]
struct Counts {
    deltas: u64,
    resumed: u64,
    snapshots: u64,
    gaps: u64,
}

impl Client {
    fn connect(&mut self, play: &Play, answers: &mut Answers, counts: &mut Counts) {
        match Reader::resume(&play.board, self.levels, self.replica.seq).filter(|_| self.replica.seq > 0) {
            Some(reader) => {
                counts.resumed += 1;
                self.reader = Some(reader);
            }
            None => {
                counts.snapshots += 1;
                let (reader, snapshot) = Reader::start(&play.board, answers, self.levels);
                assert_eq!(snapshot.checksum, snapshot.ladder.checksum());
                self.replica.begin(&snapshot);
                self.since = snapshot.seq;
                self.reader = Some(reader);
            }
        }
    }

    fn read(&mut self, play: &Play, answers: &mut Answers, counts: &mut Counts) {
        let Some(reader) = &mut self.reader else { return self.connect(play, answers, counts) };
        match reader.advance(&play.board, answers) {
            Next::Nothing => {}
            Next::Delta(delta) => {
                counts.deltas += 1;
                self.replica.hear(&delta);
                assert_eq!(delta.checksum, self.replica.ladder().checksum());
            }
            Next::Missed => {
                counts.gaps += 1;
                self.replica.seq = 0;
                self.reader = None;
                return;
            }
        }
        self.assert_right(play);
    }

    fn assert_right(&self, play: &Play) {
        assert_eq!(self.replica.seq, play.state.market(MARKET).unwrap().seq());
        assert_eq!(self.replica.ladder(), play.depth(self.levels));
        let heard = play.trades.iter().filter(|(seq, _)| *seq > self.since).map(|(_, trade)| *trade);
        assert!(heard.eq(self.replica.trades.iter().copied()), "every trade, once, in order");
    }
}

/// Lets clients of all kinds watch `steps` steps.
fn play(seed: u64, steps: u64) -> Counts {
    let (mut play, mut answers, mut counts) = (Play::new(seed), Answers::default(), Counts::default());
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client {
            levels: [1, 3, 10, 10, 50, 200][number],
            eagerness: [100, 50, 20, 100, 5, 1][number],
            reader: None,
            replica: Replica::default(),
            since: 0,
        })
        .collect();
    for _ in 0..steps {
        play.step();
        if play.random.below(200) == 0 {
            play.restart();
            answers = Answers::default();
        }
        for client in &mut clients {
            if play.random.below(60) == 0 {
                client.reader = None;
            }
            if play.random.below(100) < client.eagerness {
                client.read(&play, &mut answers, &mut counts);
            }
        }
    }
    for client in &mut clients {
        while client.reader.is_none() {
            client.read(&play, &mut answers, &mut counts);
        }
        client.read(&play, &mut answers, &mut counts);
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn what_a_client_built_is_the_engines_book(seed in any::<u64>()) {
        let counts = play(seed, 600);
        prop_assert!(counts.deltas > 300 && counts.resumed > 5 && counts.snapshots > 5, "{counts:?}");
    }
}

#[test]
fn who_is_away_for_too_long_begins_anew() {
    let mut play = Play::new(7);
    let mut answers = Answers::default();
    let (mut slow, snapshot) = Reader::start(&play.board, &mut answers, 10);
    while play.tape.seq() < snapshot.seq + STEPS_MAX as u64 + 1 {
        play.step();
    }
    assert!(Reader::resume(&play.board, 10, snapshot.seq).is_none());
    assert!(Reader::resume(&play.board, 10, play.tape.seq() + 1).is_none(), "what is yet to come");
    assert!(Reader::resume(&play.board, 10, play.tape.seq()).is_some());
    assert_eq!(slow.advance(&play.board, &mut answers), Next::Missed);
    assert_eq!(slow.seq(), snapshot.seq);
}

#[test]
fn a_client_with_too_many_trades_before_it_is_let_go() {
    let mut play = Play::new(7);
    let mut answers = Answers::default();
    let (mut slow, _) = Reader::start(&play.board, &mut answers, 10);
    let (mut quick, snapshot) = Reader::start(&play.board, &mut answers, 10);
    for number in 0..=TRADES_MAX {
        for (account, side) in [(1, Side::Ask), (2, Side::Bid)] {
            play.apply(Action::Place(Place::resting(AccountId(account), MARKET, side, 10_000, 1)));
        }
        assert!(matches!(quick.advance(&play.board, &mut answers), Next::Delta(_)));
        if number + 1 == TRADES_MAX {
            let Next::Delta(delta) = slow.clone().advance(&play.board, &mut answers) else { panic!() };
            assert_eq!(delta.trades.len(), TRADES_MAX);
        }
    }
    assert_eq!(slow.advance(&play.board, &mut answers), Next::Missed);
    assert!(Reader::resume(&play.board, 10, snapshot.seq).is_none(), "it begins with a snapshot");
}

#[test]
fn clients_at_the_same_place_share_an_answer() {
    let mut play = Play::new(7);
    let mut answers = Answers::default();
    let mut readers = [(); 3].map(|()| Reader::start(&play.board, &mut answers, 10).0);
    for _ in 0..50 {
        play.step();
    }
    let [one, two, three] = readers.each_mut().map(|reader| reader.advance(&play.board, &mut answers));
    let (Next::Delta(one), Next::Delta(two), Next::Delta(three)) = (one, two, three) else { panic!() };
    assert!(std::sync::Arc::ptr_eq(&one, &two) && std::sync::Arc::ptr_eq(&two, &three));
    let mut other = Reader::resume(&play.board, 3, one.prev_seq).unwrap();
    let Next::Delta(fewer) = other.advance(&play.board, &mut answers) else { panic!() };
    assert!(fewer.changes.bids.len() <= 3 && fewer.trades == one.trades);
}
