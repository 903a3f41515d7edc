//! The engine behind another interface: outside suites of order-book tests and benchmarks speak of their own order numbers,
//! of new, cancel and replace, and expect fills. This is all that such an adapter needs; run it with
//! `cargo run -p matching --example adapter`.

#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::collections::HashMap;

use matching::{
    AccountId, Action, Amend, BookEvent, Cancel, Change, Command, Event, Limits, MarketId, MarketRules,
    Matched, OrderId, Place, Price, Quantity, Refusal, Side, State, Timestamp, apply,
};

/// One book, orders under numbers of the caller's.
struct Adapter {
    state: State,
    market: MarketId,
    now: Timestamp,
    /// The engine numbers orders itself.
    orders: HashMap<u64, (OrderId, AccountId)>,
    /// Kept between commands: a command then allocates nothing.
    events: Vec<Event>,
}

impl Adapter {
    fn new(rules: MarketRules) -> Self {
        let market = MarketId(1);
        let mut adapter = Self {
            state: State::new(Limits::default()),
            market,
            now: 0,
            orders: HashMap::new(),
            events: Vec::new(),
        };
        adapter.send(Action::SetMarket { market, rules });
        adapter
    }

    /// A limit order; what it matched.
    fn new_order(
        &mut self,
        number: u64,
        account: AccountId,
        side: Side,
        price: Price,
        quantity: Quantity,
    ) -> Result<Vec<Matched>, Refusal> {
        let place = Place::resting(account, self.market, side, price, quantity);
        let fills = self.play(Action::Place(place))?;
        let placed = self.changes().find_map(|change| match change {
            Change::Placed(placed) => Some(placed.order),
            _ => None,
        });
        self.orders.extend(placed.map(|order| (number, (order, account))));
        Ok(fills)
    }

    fn cancel(&mut self, number: u64) -> Result<(), Refusal> {
        let (order, account) = self.named(number)?;
        self.play(Action::Cancel(Cancel { account, key: None, order })).map(|_| ())
    }

    /// Another price and a new total; what it matched.
    fn replace(&mut self, number: u64, price: Price, quantity: Quantity) -> Result<Vec<Matched>, Refusal> {
        let (order, account) = self.named(number)?;
        let (price, quantity) = (Some(price), Some(quantity));
        self.play(Action::Amend(Amend { account, key: None, order, price, quantity, expires_at: None }))
    }

    fn named(&self, number: u64) -> Result<(OrderId, AccountId), Refusal> {
        self.orders.get(&number).copied().ok_or(Refusal::NotActive { status: None })
    }

    fn play(&mut self, action: Action) -> Result<Vec<Matched>, Refusal> {
        self.send(action);
        for event in &self.events {
            if let Event::Refused { refusal, .. } = event {
                return Err(*refusal);
            }
        }
        Ok(self.changes().filter_map(matched).collect())
    }

    /// The clock is the caller's: here each command comes a microsecond after the one before.
    fn send(&mut self, action: Action) {
        self.now += 1;
        self.events.clear();
        apply(&mut self.state, &Command { ts: self.now, action }, &mut self.events);
    }

    fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        self.events.iter().filter_map(|event| match event {
            Event::Book(BookEvent { change, .. }) => Some(*change),
            _ => None,
        })
    }

    fn best(&self, side: Side) -> Option<Price> {
        self.state.market(self.market).and_then(|market| market.best(side))
    }
}

fn matched(change: Change) -> Option<Matched> {
    match change {
        Change::Matched(matched) => Some(matched),
        _ => None,
    }
}

fn main() -> Result<(), Refusal> {
    let mut book = Adapter::new(MarketRules { tick: 1, price_min: 1, price_max: 1_000_000 });
    let (seller, buyer) = (AccountId(1), AccountId(2));
    book.new_order(10, seller, Side::Ask, 105, 2)?;
    book.new_order(11, seller, Side::Ask, 103, 1)?;
    let fills = book.new_order(12, buyer, Side::Bid, 104, 2)?;
    for fill in &fills {
        println!("{} at {}", fill.quantity, fill.price);
    }
    let more = book.replace(12, 105, 3)?;
    book.cancel(10)?;
    assert_eq!((fills.len(), more.len(), book.best(Side::Bid), book.best(Side::Ask)), (1, 1, None, None));
    assert_eq!(book.cancel(12), Err(Refusal::NotActive { status: Some(matching::Status::Filled) }));
    assert_eq!(book.state.audit(), Ok(()));
    Ok(())
}
