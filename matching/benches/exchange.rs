//! Time for a message, on books of different shapes; bytes for an order and for an empty market.
//!
//! `cargo bench -p matching`, or with a shape's name or parts of one, `replay` or `empty` behind `--`. The same messages are
//! played several times (`--rounds=1` is enough where instructions are counted). Each stretch of them is timed by itself and
//! counts with its fastest time, so that what else runs on the machine disturbs little; the sum of the middle times is given
//! too. Messages lie in the cache when they come, as from a queue.

#![expect(clippy::print_stdout, reason = "the result is what it prints")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends")]

use std::time::Instant;

use matching::*;

const MARKET: MarketId = MarketId(1);
const TICK: Price = 100;
const MIDDLE: Price = 100_000 * TICK;
const MESSAGES: usize = 400_000;
const ROUNDS: usize = 15;
/// Messages that are timed together.
const STRETCH: usize = 2_000;
/// Commands that an engine would apply together; their events are dropped after each.
const BATCH: usize = 256;
/// Commands in a row of the journal, at most.
const ROW: usize = 1_024;

/// A book's shape, and what comes at it.
struct Shape {
    name: &'static str,
    markets: u64,
    accounts: u64,
    /// Orders that rest before the clock runs.
    resting: usize,
    /// How far from the middle they lie, in ticks.
    spread: u64,
    /// How far the middle wanders with each message, in ticks.
    swing: i64,
    /// As behind an API: each message has a key of its own, and accounts have caps.
    guarded: bool,
}

const SHALLOW: Shape =
    Shape { name: "shallow", markets: 1, accounts: 500, resting: 200, spread: 10, swing: 0, guarded: false };

const EXCHANGE: Shape =
    Shape { name: "exchange", markets: 16, accounts: 1_000, resting: 16_000, spread: 60, ..SHALLOW };

const LARGE: Shape = Shape {
    name: "10,000 markets, 2 million resting orders",
    markets: 10_000,
    accounts: 100_000,
    resting: 2_000_000,
    spread: 40,
    ..SHALLOW
};

const SHAPES: [Shape; 7] = [
    SHALLOW,
    EXCHANGE,
    Shape { name: "exchange, keys and caps", guarded: true, ..EXCHANGE },
    Shape { name: "deep", accounts: 2_000, resting: 100_000, spread: 2_000, ..SHALLOW },
    Shape { name: "swinging", accounts: 1_000, resting: 5_000, spread: 200, swing: 3, ..SHALLOW },
    LARGE,
    Shape { name: "10,000 markets, 2 million resting orders, keys and caps", guarded: true, ..LARGE },
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_named = SHAPES.iter().any(|shape| wanted == [shape.name]);
    let is_wanted = |shape: &&Shape| match is_named {
        true => wanted == [shape.name],
        false => wanted.iter().all(|word| shape.name.contains(word.as_str())),
    };
    for shape in SHAPES.iter().filter(is_wanted) {
        measure(shape, MESSAGES);
    }
    if wanted.is_empty() || wanted == ["replay"] {
        replays();
    }
    if wanted.is_empty() || wanted == ["empty"] {
        empty_markets();
    }
}

fn measure(shape: &Shape, messages: usize) {
    let mut maker = Maker::new(shape);
    let filling = maker.fill();
    let commands = maker.mix(messages);
    let filled = replay(shape, &filling);
    let (orders, bytes) = (filled.orders_len(), filled.bytes());
    drop(filled);
    let rounds: Vec<Vec<u64>> = (0..rounds(shape)).map(|_| run(replay(shape, &filling), &commands)).collect();
    let per_message = |pick: fn(&mut Vec<u64>) -> u64| {
        let stretches =
            (0..rounds[0].len()).map(|at| pick(&mut rounds.iter().map(|times| times[at]).collect()));
        stretches.sum::<u64>() as f64 / messages as f64
    };
    let best = per_message(|times| times.iter().copied().min().unwrap());
    let middle = per_message(|times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    println!(
        "- {}: {best:.1} ns a message (middle {middle:.1}, {} rounds), {orders} resting, {:.0} bytes an order; {}",
        shape.name,
        rounds.len(),
        bytes as f64 / orders as f64,
        maker.summary(messages),
    );
}

fn rounds(shape: &Shape) -> usize {
    let asked = std::env::args().find_map(|word| word.strip_prefix("--rounds=")?.parse().ok());
    asked.unwrap_or(if shape.resting > 1_000_000 { 5 } else { ROUNDS })
}

/// A new state in which the filling rests.
fn replay(shape: &Shape, filling: &[Command]) -> State {
    let mut state = State::new(limits(shape));
    open(&mut state, shape.markets);
    let mut events = Vec::new();
    for command in filling {
        apply(&mut state, command, &mut events);
        events.clear();
    }
    state
}

/// The time of each stretch.
fn run(mut state: State, commands: &[Command]) -> Vec<u64> {
    let mut events = Vec::with_capacity(BATCH * 8);
    let mut near = commands[..STRETCH].to_vec();
    let stretches = commands.chunks_exact(STRETCH).map(|stretch| {
        near.copy_from_slice(stretch);
        let start = Instant::now();
        for batch in near.chunks(BATCH) {
            apply_all(&mut state, batch, &mut events, |_, caused| _ = std::hint::black_box(caused.len()));
            std::hint::black_box(&events);
            events.clear();
        }
        start.elapsed().as_nanos() as u64
    });
    let times = stretches.collect();
    assert_eq!(state.broken(), None);
    times
}

fn limits(shape: &Shape) -> Limits {
    if shape.guarded {
        return Limits::default();
    }
    Limits { orders_per_account_and_market: u32::MAX, orders_per_account: u32::MAX, ..Limits::default() }
}

fn open(state: &mut State, markets: u64) {
    let rules = MarketRules { tick: TICK, price_min: TICK, price_max: 10 * MIDDLE };
    for market in 1..=u128::from(markets) {
        let action = Action::SetMarket { market: MarketId(market), rules };
        apply(state, &Command { ts: 0, action }, &mut Vec::new());
    }
}

/// A journal read again: rows of 1,024 commands from bytes, each applied.
fn replays() {
    let mut maker = Maker::new(&EXCHANGE);
    let filled = replay(&EXCHANGE, &maker.fill());
    let commands = maker.mix(MESSAGES);
    let rows: Vec<Vec<u8>> = commands.chunks(ROW).map(|row| bytes_of(&row.to_vec())).collect();
    let best = (0..ROUNDS).map(|_| read_again(filled.clone(), &rows)).min().unwrap();
    let bytes: usize = rows.iter().map(Vec::len).sum();
    println!(
        "- replay of a journal (exchange): {:.2} million commands a second, {:.0} bytes a command",
        MESSAGES as f64 * 1_000.0 / best as f64,
        bytes as f64 / MESSAGES as f64,
    );
}

fn bytes_of(row: &Vec<Command>) -> Vec<u8> {
    let mut bytes = Vec::new();
    row.encode(&mut bytes);
    bytes
}

fn read_again(mut state: State, rows: &[Vec<u8>]) -> u64 {
    let mut events = Vec::new();
    let start = Instant::now();
    for row in rows {
        apply_all(&mut state, &Vec::<Command>::decode_all(row).unwrap(), &mut events, |_, _| {});
        events.clear();
    }
    let took = start.elapsed().as_nanos() as u64;
    assert_eq!(state.broken(), None);
    took
}

fn empty_markets() {
    let markets = 100_000;
    let mut state = State::new(Limits::default());
    open(&mut state, markets);
    println!("- {:.0} bytes an empty market", state.bytes() as f64 / markets as f64);
    assert!(state.market(MARKET).is_some());
}

/// Makes messages by playing them: the numbers of orders come from the engine.
struct Maker<'s> {
    shape: &'s Shape,
    state: State,
    random: u64,
    ts: Timestamp,
    middle: Price,
    live: Vec<(OrderId, AccountId)>,
    counts: [usize; 4],
    matches: usize,
}

impl<'s> Maker<'s> {
    fn new(shape: &'s Shape) -> Self {
        let mut state = State::new(limits(shape));
        open(&mut state, shape.markets);
        let live = Vec::with_capacity(shape.resting);
        Self {
            shape,
            state,
            random: 88_172_645_463_325_252,
            ts: 1,
            middle: MIDDLE,
            live,
            counts: [0; 4],
            matches: 0,
        }
    }

    /// Orders that rest.
    fn fill(&mut self) -> Vec<Command> {
        let mut filling = Vec::new();
        while self.state.orders_len() < self.shape.resting {
            let distance = 1 + self.below(self.shape.spread);
            let place = self.order(distance as i64);
            filling.push(self.play(Action::Place(place)));
        }
        self.counts = [0; 4];
        self.matches = 0;
        filling
    }

    /// Half of what comes are orders that rest, a third cancels, a tenth orders that match, the rest changes of quantity.
    fn mix(&mut self, messages: usize) -> Vec<Command> {
        (0..messages).map(|_| self.message()).collect()
    }

    fn message(&mut self) -> Command {
        let swing = self.shape.swing;
        self.middle += (self.below(2 * swing as u64 + 1) as i64 - swing) * TICK;
        let kind = self.below(100);
        // What leaves by cancels and matches comes back by placing, so the number of resting orders stays near its start.
        let (kind, action) = match kind {
            0..40 if self.live.len() > self.shape.resting / 2 => (1, self.cancel()),
            40..45 if !self.live.is_empty() => (3, self.amend()),
            45..55 => {
                let deep = 1 + self.below(4) as i64;
                let mut place = self.order(-deep);
                place.life = if self.below(2) == 0 { Life::Immediate } else { place.life };
                (2, Action::Place(place))
            }
            _ => {
                let near = self.near();
                (0, Action::Place(self.order(near)))
            }
        };
        self.counts[kind] += 1;
        self.play(action)
    }

    /// Most new orders come near the touch.
    fn near(&mut self) -> i64 {
        let far = self.below(self.shape.spread);
        let nearer = self.below(far + 1);
        1 + self.below(nearer + 1) as i64
    }

    /// An order so many ticks away from the middle on its own side.
    fn order(&mut self, distance: i64) -> Place {
        let account = AccountId(u128::from(self.below(self.shape.accounts)) << 64 | 7);
        let market = MarketId(1 + u128::from(self.below(self.shape.markets)));
        let quantity = 1 + self.below(5) as Quantity;
        let (side, price) = match self.below(2) {
            0 => (Side::Bid, self.middle - distance * TICK),
            _ => (Side::Ask, self.middle + distance * TICK),
        };
        Place { key: self.key(), ..Place::resting(account, market, side, price, quantity) }
    }

    fn key(&mut self) -> Option<Key> {
        self.shape
            .guarded
            .then(|| Key(u128::from(self.below(u64::MAX)) << 64 | u128::from(self.below(u64::MAX))))
    }

    fn pick(&mut self) -> (OrderId, AccountId) {
        loop {
            let index = self.below(self.live.len() as u64) as usize;
            let picked = self.live.swap_remove(index);
            if self.state.order(picked.0).is_some() || self.live.is_empty() {
                return picked;
            }
        }
    }

    fn cancel(&mut self) -> Action {
        let (order, account) = self.pick();
        Action::Cancel(Cancel { account, key: self.key(), order })
    }

    fn amend(&mut self) -> Action {
        let (order, account) = self.pick();
        self.live.push((order, account));
        let quantity = self.state.order(order).map(|order| order.filled + order.remaining.max(2) - 1);
        Action::Amend(Amend { account, key: self.key(), order, price: None, quantity, expires_at: None })
    }

    fn play(&mut self, action: Action) -> Command {
        self.ts += 50;
        let command = Command { ts: self.ts, action };
        let mut events = Vec::new();
        apply(&mut self.state, &command, &mut events);
        for event in events {
            match event {
                Event::Book(BookEvent { change: Change::Rested(rested), .. }) => {
                    if let Some(order) = self.state.order(rested.order) {
                        self.live.push((order.order, order.account));
                    }
                }
                Event::Book(BookEvent { change: Change::Matched(_), .. }) => self.matches += 1,
                _ => {}
            }
        }
        command
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((u128::from(self.random) * u128::from(end)) >> 64) as u64
    }

    fn summary(&self, messages: usize) -> String {
        let percent = |count: usize| count as f64 * 100.0 / messages as f64;
        let [place, cancel, take, amend] = self.counts;
        format!(
            "{:.0} % place, {:.0} % cancel, {:.0} % take, {:.0} % amend, {:.2} matches a message",
            percent(place),
            percent(cancel),
            percent(take),
            percent(amend),
            self.matches as f64 / messages as f64
        )
    }
}
