//! The engine against the naive book, and what must hold whatever comes.

use std::collections::HashMap;

use matching::*;
use proptest::prelude::*;

use crate::naive::Naive;

const MARKETS: [MarketId; 2] = [MarketId(1), MarketId(2)];
const START: Timestamp = 1_800_000_000_000_000;

fn limits() -> Limits {
    Limits {
        orders_per_account_and_market: 6,
        orders_per_account: 9,
        lifetime_us: 400,
        // Nothing is forgotten within a run but keys and matches, whose end is exact.
        retention_us: 300,
    }
}

/// What a command is made of: numbers small enough that orders meet.
#[derive(Clone, Debug)]
pub struct Draw {
    kind: u8,
    account: u8,
    market: u8,
    side: bool,
    price: i64,
    quantity: Quantity,
    back: u64,
    life: Option<i64>,
    key: Option<u8>,
    flags: u8,
    /// Time that passes before it; sometimes it goes back.
    step: i64,
}

pub fn draws(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Draw>> {
    let quantity = prop_oneof![20 => 1..6_u32, 1 => Just(0), 1 => Just(u32::MAX)];
    let price =
        prop_oneof![40 => (1..9_i64).prop_map(|ticks| ticks * 10), 1 => any::<i64>(), 1 => 0..120_i64];
    let life = prop::option::weighted(0.4, prop_oneof![8 => 1..90_i64, 1 => -5..500_i64]);
    let key = prop::option::weighted(0.2, 0..12_u8);
    let step = prop_oneof![10 => 0..4_i64, 2 => 0..40_i64, 1 => -30..0_i64];
    let whom = (0..5_u8, 0..9_u8, any::<bool>(), 0..14_u64);
    let one = (0..100_u8, whom, price, quantity, life, key, any::<u8>(), step).prop_map(
        |(kind, (account, market, side, back), price, quantity, life, key, flags, step)| Draw {
            kind,
            account,
            market,
            side,
            price,
            quantity,
            back,
            life,
            key,
            flags,
            step,
        },
    );
    prop::collection::vec(one, len)
}

/// Turns draws into commands. It follows how many orders and trades there are, to name some that exist.
pub struct Commands {
    ts: Timestamp,
    orders: u64,
    trades: u64,
}

impl Commands {
    pub fn new() -> Self {
        Self { ts: START, orders: 0, trades: 0 }
    }

    pub fn command(&mut self, draw: &Draw) -> Command {
        self.ts += draw.step;
        Command { ts: self.ts, action: self.action(draw) }
    }

    pub fn heard(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Book(BookEvent { change, .. }) = event {
                match change {
                    Change::Placed(placed) => self.orders = placed.order.0,
                    Change::Matched(matched) => {
                        self.trades = matched.trade.0 + u64::from(matched.quantity) - 1
                    }
                    _ => {}
                }
            }
        }
    }

    fn action(&self, draw: &Draw) -> Action {
        let account = AccountId(draw.account.into());
        let key = draw.key.map(|key| Key(key.into()));
        let side = if draw.side { Side::Bid } else { Side::Ask };
        let market = if draw.market == 8 { MarketId(9) } else { MARKETS[usize::from(draw.market) / 6] };
        let order = OrderId(self.orders.saturating_sub(draw.back));
        let expires_at = draw.life.map(|life| self.ts + life);
        match draw.kind {
            0..60 => Action::Place(Place {
                account,
                key,
                market,
                side,
                price: draw.price,
                quantity: draw.quantity,
                life: match (draw.flags & 7, draw.life) {
                    (0, _) => Life::Immediate,
                    (1, Some(lifetime_us)) => Life::RestFor { lifetime_us },
                    _ => Life::Rest { expires_at },
                },
                self_trade: if draw.flags & 24 == 0 {
                    SelfTrade::ExpireMaker
                } else {
                    SelfTrade::ExpireTaker
                },
                returns: draw.flags & 96 != 0,
            }),
            60..72 => Action::Cancel(Cancel { account, key, order }),
            72..86 => {
                let price = (draw.flags & 1 == 0).then_some(draw.price);
                let quantity = (draw.flags & 2 == 0).then_some(draw.quantity);
                let amend = Amend { account, key, order, price, quantity, expires_at };
                if draw.flags & 4 == 0 { Action::Amend(amend) } else { Action::Reduce(amend) }
            }
            86..88 => Action::PauseSelling { account },
            88..90 => Action::ResumeSelling { account },
            90..92 => Action::AuthLapsed { order },
            92..97 => Action::PaymentFailed { trade: TradeId(self.trades.saturating_sub(draw.back)) },
            97 => Action::SetMarket {
                market,
                rules: MarketRules { tick: draw.price, price_min: 10, price_max: 90 },
            },
            _ => Action::Tick,
        }
    }
}

pub fn open() -> impl Iterator<Item = Command> {
    let rules = MarketRules { tick: 10, price_min: 10, price_max: 80 };
    MARKETS.into_iter().map(move |market| Command { ts: START, action: Action::SetMarket { market, rules } })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every event, and every queue after each command.
    #[test]
    fn the_engine_does_what_a_book_written_from_the_rules_does(draws in draws(1..160)) {
        let (mut state, mut naive) = (State::new(limits()), Naive::new(limits()));
        let mut commands = Commands::new();
        let mut play = |command: Command, commands: &mut Commands| {
            let mut events = Vec::new();
            apply(&mut state, &command, &mut events);
            prop_assert!(!events.is_empty());
            prop_assert_eq!(&events, &naive.apply(&command), "{:?}", command);
            prop_assert_eq!(state.audit(), Ok(()));
            for market in MARKETS {
                for side in [Side::Bid, Side::Ask] {
                    prop_assert_eq!(queue(&state, market, side), naive.queue(market, side));
                }
            }
            commands.heard(&events);
            Ok(())
        };
        for command in open() {
            play(command, &mut commands)?;
        }
        for draw in draws {
            let command = commands.command(&draw);
            play(command, &mut commands)?;
        }
    }

    /// I1 to I8 from the events alone.
    #[test]
    fn whatever_comes_the_books_add_up(draws in draws(1..200)) {
        let mut state = State::new(limits());
        let mut commands = Commands::new();
        let mut ledger = Ledger::default();
        for command in open() {
            apply(&mut state, &command, &mut Vec::new());
        }
        for draw in draws {
            let command = commands.command(&draw);
            let mut events = Vec::new();
            apply(&mut state, &command, &mut events);
            commands.heard(&events);
            for event in &events {
                ledger.enter(event);
            }
            for market in state.markets() {
                let best = |side| market.best(side);
                prop_assert!(best(Side::Bid).zip(best(Side::Ask)).is_none_or(|(bid, ask)| bid < ask), "I1");
                ledger.compare(&state, market);
            }
        }
    }

    /// I9: the same commands give the same state; and a state that went through bytes goes on as the one that did not.
    #[test]
    fn a_state_goes_on_from_its_bytes_as_if_nothing_had_been(draws in draws(1..200), cut in 0..200_usize) {
        let mut state = State::new(limits());
        let mut other = state.clone();
        let mut commands = Commands::new();
        for command in open() {
            apply(&mut state, &command, &mut Vec::new());
            apply(&mut other, &command, &mut Vec::new());
        }
        for (index, draw) in draws.iter().enumerate() {
            if index == cut {
                let bytes = other.encode();
                other = State::decode(&bytes).unwrap();
                prop_assert_eq!(other.encode(), bytes);
            }
            let command = commands.command(draw);
            let (mut events, mut others) = (Vec::new(), Vec::new());
            apply(&mut state, &command, &mut events);
            apply(&mut other, &command, &mut others);
            prop_assert_eq!(&events, &others);
            prop_assert_eq!(state.pulse(), other.pulse());
            commands.heard(&events);
        }
        prop_assert_eq!(state.digest(), other.digest());
    }

    /// I13: a command sent again, at any time within the retention, changes nothing and answers the same.
    #[test]
    fn the_same_key_gives_the_same_answer(draws in draws(1..100), again in 0..100_usize) {
        let mut state = State::new(Limits { retention_us: i64::MAX, ..limits() });
        let mut commands = Commands::new();
        for command in open() {
            apply(&mut state, &command, &mut Vec::new());
        }
        let mut sent: Vec<(Command, Option<Answer>)> = Vec::new();
        for draw in &draws {
            let command = commands.command(&Draw { key: None, kind: draw.kind.min(71), ..draw.clone() });
            let key = Some(Key(sent.len() as u128));
            let action = match command.action {
                Action::Place(place) => Action::Place(Place { key, ..place }),
                Action::Cancel(cancel) => Action::Cancel(Cancel { key, ..cancel }),
                other => other,
            };
            let command = Command { action, ..command };
            let mut events = Vec::new();
            apply(&mut state, &command, &mut events);
            commands.heard(&events);
            sent.push((command, answer(&state, &events)));
        }
        let (command, answered) = sent[again % sent.len()];
        let (pulse, orders) = (state.pulse(), state.orders_len());
        let mut events = Vec::new();
        apply(&mut state, &command, &mut events);
        match events.as_slice() {
            [Event::Repeated { answer, .. }] => prop_assert_eq!(answer.ok().map(|answer| answer.order), answered.map(|answer| answer.order)),
            other => prop_assert!(false, "{:?}", other),
        }
        prop_assert_eq!((pulse, orders), (state.pulse(), state.orders_len()));
    }
}

/// The order that a command was about.
fn answer(state: &State, events: &[Event]) -> Option<Answer> {
    events.iter().rev().find_map(|event| match event {
        Event::Book(BookEvent { change: Change::Placed(Placed { order, .. }), .. })
        | Event::Book(BookEvent {
            change: Change::Cancelled(Cancelled { order, reason: Reason::Owner, .. }),
            ..
        }) => Some(Answer { order: *order, status: state.status(*order)?, filled: 0, remaining: 0 }),
        _ => None,
    })
}

fn queue(state: &State, market: MarketId, side: Side) -> Vec<(OrderId, Price, Quantity)> {
    let queue = state.market(market).into_iter().flat_map(|market| market.queue(side));
    queue.map(|order| (order.order, order.price, order.remaining)).collect()
}

/// What each order's pieces became, by the events alone.
#[derive(Default)]
struct Ledger {
    orders: HashMap<OrderId, Pieces>,
    depth: HashMap<(MarketId, Side, Price), i64>,
    seqs: HashMap<MarketId, u64>,
    bought: u64,
    sold: u64,
}

struct Pieces {
    account: AccountId,
    side: Side,
    limit: Price,
    /// What was asked for, less what is out of the market again.
    open: i64,
    ended: bool,
    expires_at: Option<Timestamp>,
}

impl Ledger {
    fn enter(&mut self, event: &Event) {
        let Event::Book(BookEvent { market, seq, ts, change }) = *event else { return };
        // Two markets were opened before the first event here.
        let before = self.seqs.insert(market, seq).unwrap_or(u64::from(MARKETS.contains(&market)));
        assert_eq!(seq, before + 1, "I8");
        match change {
            Change::Placed(Placed { order, account, side, price, quantity, expires_at, .. }) => {
                assert!(quantity > 0);
                let open = quantity.into();
                let pieces = Pieces { account, side, limit: price, open, ended: false, expires_at };
                assert!(self.orders.insert(order, pieces).is_none(), "a number is given once");
            }
            Change::Matched(matched) => self.matched(market, ts, matched),
            Change::Rested(rested) => self.rest(market, rested.side, rested.price, rested.quantity.into()),
            Change::Amended(amended) => {
                let Amended {
                    order, side, price_before, price, remaining_before, remaining, kept_place, ..
                } = amended;
                let rested = if kept_place {
                    i64::from(remaining_before - remaining)
                } else {
                    remaining_before.into()
                };
                self.rest(market, side, price_before, -rested);
                let pieces = self.orders.get_mut(&order).unwrap();
                assert!(!pieces.ended);
                pieces.open += i64::from(remaining) - i64::from(remaining_before);
                (pieces.limit, pieces.expires_at) = (price, Some(amended.expires_at));
            }
            Change::Cancelled(Cancelled { order, side, price, quantity, resting, .. }) => {
                if resting {
                    self.rest(market, side, price, -i64::from(quantity));
                }
                self.end(order, quantity);
            }
            Change::Expired(Expired { order, side, price, quantity, expires_at, .. }) => {
                assert!(expires_at <= ts, "not before its time");
                self.rest(market, side, price, -i64::from(quantity));
                self.end(order, quantity);
            }
            Change::Returned(Returned { order, .. }) => {
                let pieces = self.orders.get_mut(&order).unwrap();
                pieces.open += 1;
                pieces.ended = false;
            }
            Change::RulesSet(_) | Change::PaymentFailed(_) => {}
        }
    }

    fn matched(&mut self, market: MarketId, ts: Timestamp, matched: Matched) {
        let Matched { price, quantity, maker, taker, maker_side, .. } = matched;
        assert!(quantity > 0, "no match of nothing");
        assert_ne!(matched.maker_account, matched.taker_account, "I6");
        self.rest(market, maker_side, price, -i64::from(quantity));
        for (order, left) in [(maker, matched.maker_remaining), (taker, matched.taker_remaining)] {
            let pieces = self.orders.get_mut(&order).unwrap();
            assert!(!pieces.ended && pieces.expires_at.is_none_or(|at| at > ts), "I5");
            pieces.open -= i64::from(quantity);
            assert_eq!(pieces.open, left.into(), "I3");
            pieces.ended = left == 0;
            match pieces.side {
                Side::Bid => self.bought += u64::from(quantity),
                Side::Ask => self.sold += u64::from(quantity),
            }
            assert!(
                if pieces.side == Side::Bid { pieces.limit >= price } else { pieces.limit <= price },
                "I4"
            );
        }
        assert_eq!(self.orders[&maker].limit, price, "I4: the maker's price");
        assert_eq!(self.orders[&maker].account, matched.maker_account);
        assert_eq!(self.bought, self.sold, "I3");
    }

    fn end(&mut self, order: OrderId, quantity: Quantity) {
        let pieces = self.orders.get_mut(&order).unwrap();
        assert!(!pieces.ended);
        pieces.open -= i64::from(quantity);
        pieces.ended = true;
        assert_eq!(pieces.open, 0, "I3");
    }

    fn rest(&mut self, market: MarketId, side: Side, price: Price, by: i64) {
        let quantity = self.depth.entry((market, side, price)).or_default();
        *quantity += by;
        assert!(*quantity >= 0);
    }

    /// I7: the depth that follows from the events is the engine's.
    fn compare(&self, state: &State, market: MarketView<'_>) {
        for side in [Side::Bid, Side::Ask] {
            let mut mine: Vec<(Price, u64)> = self
                .depth
                .iter()
                .filter(|((id, on, _), quantity)| (*id, *on) == (market.id(), side) && **quantity > 0)
                .map(|((_, _, price), quantity)| (*price, *quantity as u64))
                .collect();
            mine.sort_by_key(|(price, _)| if side == Side::Bid { -price } else { *price });
            let depth: Vec<(Price, u64)> =
                market.depth(side).map(|depth| (depth.price, depth.quantity)).collect();
            assert_eq!(mine, depth);
        }
        let open = self.orders.values().filter(|pieces| !pieces.ended).count();
        assert_eq!(open, state.orders_len(), "I7");
    }
}
