//! Scripts of orders in words, and what came of each line in words.
//!
//! `sell 1 @ 100` places order 1; `x3` after it is a quantity, `by 7` an account (otherwise each order has its own),
//! `for 60` a life in seconds, `now` an immediate order, `keyed 5` an idempotency key, `takes` expires own resting orders,
//! `for good` an ask that does not come back. `cancel 1`, `amend 1 @ 90 x2 for 60`, `reduce 1 x1`, `pause 7`, `resume 7`,
//! `lapse 1`, `unpaid 1` (the first matched piece), `wait 60` (seconds), `tick`.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::SplitWhitespace;

use matching::*;

pub const MARKET: MarketId = MarketId(1);
pub const SECOND: i64 = 1_000_000;
pub const START: Timestamp = 1_800_000_000 * SECOND;

/// Plays `script` and compares what came of each line.
#[track_caller]
pub fn check(script: &str, expected: &str) {
    let mut player = Player::new(Limits::default());
    let said: Vec<String> = lines(script).map(|line| player.play(line)).collect();
    assert_eq!(said.join("\n"), lines(expected).collect::<Vec<_>>().join("\n"), "\n{script}");
}

/// The events of one command.
pub fn events(state: &mut State, action: Action) -> Vec<Event> {
    let mut events = Vec::new();
    apply(state, &Command { ts: START, action }, &mut events);
    state.audit().unwrap();
    events
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

pub struct Player {
    pub state: State,
    pub now: Timestamp,
    /// Orders have the numbers of the script.
    numbers: HashMap<u64, OrderId>,
    names: HashMap<OrderId, u64>,
}

impl Player {
    pub fn new(limits: Limits) -> Self {
        let mut state = State::new(limits);
        let rules = MarketRules { tick: 1, price_min: 1, price_max: i64::MAX };
        let open = Command { ts: START, action: Action::SetMarket { market: MARKET, rules } };
        apply(&mut state, &open, &mut Vec::new());
        Self { state, now: START, numbers: HashMap::new(), names: HashMap::new() }
    }

    pub fn play(&mut self, line: &str) -> String {
        let mut words = line.split_whitespace().peekable();
        let verb = words.next().unwrap();
        let action = match verb {
            "sell" => self.place(Side::Ask, &mut words),
            "buy" => self.place(Side::Bid, &mut words),
            "cancel" => self.cancel(&mut words),
            "amend" => Action::Amend(self.amend(&mut words)),
            "reduce" => Action::Reduce(self.amend(&mut words)),
            "pause" => Action::PauseSelling { account: account(&mut words) },
            "resume" => Action::ResumeSelling { account: account(&mut words) },
            "lapse" => Action::AuthLapsed { order: self.order(&mut words) },
            "unpaid" => Action::PaymentFailed { trade: TradeId(number(&mut words)) },
            "wait" => {
                self.now += number::<i64>(&mut words) * SECOND;
                Action::Tick
            }
            "tick" => Action::Tick,
            other => panic!("{other}?"),
        };
        assert_eq!(words.next(), None, "{line}");
        self.apply(action)
    }

    pub fn apply(&mut self, action: Action) -> String {
        let mut events = Vec::new();
        apply(&mut self.state, &Command { ts: self.now, action }, &mut events);
        self.state.audit().unwrap();
        let again = State::decode(&self.state.encode()).unwrap();
        assert_eq!(again.digest(), self.state.digest());
        let said: Vec<String> = events.iter().filter_map(|event| self.say(event)).collect();
        said.join(", ")
    }

    fn place(&mut self, side: Side, words: &mut Words<'_>) -> Action {
        let name: u64 = number(words);
        let mut place = Place::resting(AccountId(name.into()), MARKET, side, 0, 1);
        while let Some(word) = words.next() {
            match word {
                "@" => place.price = number(words),
                "by" => place.account = account(words),
                "for" if words.next_if_eq(&"good").is_some() => place.returns = false,
                "for" => {
                    place.life = Life::Rest { expires_at: Some(self.now + number::<i64>(words) * SECOND) }
                }
                "now" => place.life = Life::Immediate,
                "keyed" => place.key = Some(Key(number(words))),
                "takes" => place.self_trade = SelfTrade::ExpireMaker,
                quantity => place.quantity = pieces(quantity),
            }
        }
        // The engine numbers orders from 1: what is taken in next is this one.
        let next = OrderId(self.numbers.len() as u64 + 1);
        self.names.insert(next, name);
        self.numbers.entry(name).or_insert(next);
        Action::Place(place)
    }

    fn cancel(&mut self, words: &mut Words<'_>) -> Action {
        let (name, order) = self.named(words);
        let account = words.next_if_eq(&"by").map_or(AccountId(name.into()), |_| account(words));
        let key = words.next_if_eq(&"keyed").map(|_| Key(number(words)));
        Action::Cancel(Cancel { account, key, order })
    }

    fn amend(&mut self, words: &mut Words<'_>) -> Amend {
        let (name, order) = self.named(words);
        let account_id = AccountId(name.into());
        let mut amend =
            Amend { account: account_id, key: None, order, price: None, quantity: None, expires_at: None };
        while let Some(word) = words.next() {
            match word {
                "@" => amend.price = Some(number(words)),
                "by" => amend.account = account(words),
                "for" => amend.expires_at = Some(self.now + number::<i64>(words) * SECOND),
                "keyed" => amend.key = Some(Key(number(words))),
                quantity => amend.quantity = Some(pieces(quantity)),
            }
        }
        amend
    }

    fn order(&self, words: &mut Words<'_>) -> OrderId {
        self.named(words).1
    }

    fn named(&self, words: &mut Words<'_>) -> (u64, OrderId) {
        let name = number(words);
        (name, self.numbers.get(&name).copied().unwrap_or(OrderId(1_000_000 + name)))
    }

    fn name(&self, order: OrderId) -> u64 {
        self.names[&order]
    }

    /// `None`: another event says it.
    fn say(&mut self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Book(BookEvent { change, .. }) => return self.say_change(change),
            Event::Repeated { answer, .. } => match answer {
                Ok(answer) => format!("again: {} is {:?}", self.name(answer.order), answer.status),
                Err(refusal) => format!("again: {refusal:?}"),
            },
            Event::Refused { refusal, .. } => {
                // No number was used.
                let next = OrderId(self.numbers.len() as u64);
                if self.state.status(next).is_none()
                    && let Some(name) = self.names.remove(&next)
                {
                    self.numbers.remove(&name);
                }
                format!("{refusal:?}")
            }
            Event::Ticked { .. } => "time passes".into(),
            Event::SellingPaused { .. } => "pauses".into(),
            Event::SellingResumed { .. } => "resumes".into(),
            Event::LimitsSet(_) => "limits".into(),
        })
    }

    fn say_change(&self, change: &Change) -> Option<String> {
        Some(match change {
            Change::Placed(_) => return None,
            Change::RulesSet(_) => "opens".into(),
            Change::Matched(matched) => {
                let Matched { maker, taker, price, quantity, .. } = *matched;
                let (maker, taker) = (self.name(maker), self.name(taker));
                let times = if quantity == 1 { String::new() } else { format!("{quantity} ") };
                match matched.maker_side {
                    Side::Ask => format!("{taker} buys {times}from {maker} at {price}"),
                    Side::Bid => format!("{taker} sells {times}to {maker} at {price}"),
                }
            }
            Change::Rested(Rested { quantity: 1, .. }) => "rests".into(),
            Change::Rested(rested) => format!("rests x{}", rested.quantity),
            Change::Amended(Amended { kept_place: true, remaining, .. }) => format!("stays x{remaining}"),
            Change::Amended(Amended { remaining, .. }) => format!("moves x{remaining}"),
            Change::Cancelled(cancelled) => {
                format!("{} x{} ends: {:?}", self.name(cancelled.order), cancelled.quantity, cancelled.reason)
            }
            Change::Expired(expired) => format!("{} x{} expires", self.name(expired.order), expired.quantity),
            Change::PaymentFailed(failed) => {
                format!("{} does not pay {}", self.name(failed.bid), self.name(failed.ask))
            }
            Change::Returned(returned) => format!("{} comes back", self.name(returned.order)),
        })
    }
}

type Words<'w> = Peekable<SplitWhitespace<'w>>;

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(words: &mut Words<'_>) -> T {
    words.next().unwrap().parse().unwrap()
}

fn account(words: &mut Words<'_>) -> AccountId {
    AccountId(number(words))
}

fn pieces(word: &str) -> Quantity {
    word.strip_prefix('x').unwrap_or_else(|| panic!("{word}?")).parse().unwrap()
}
