//! What is remembered, for how long, and that nothing grows for ever.

use matching::*;

use crate::script::{MARKET, SECOND, START, events};

#[test]
fn how_an_order_ended_is_remembered_for_its_time_and_then_forgotten() {
    let mut state = State::new(Limits { retention_us: 60 * SECOND, ..Limits::default() });
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 1_000 };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    let place = |state: &mut State, ts| {
        let place = Place::resting(AccountId(1), MARKET, Side::Ask, 100, 1);
        apply(state, &Command { ts, action: Action::Place(place) }, &mut Vec::new());
    };
    let cancel = |state: &mut State, ts, order| {
        let cancel = Cancel { account: AccountId(1), key: None, order: OrderId(order) };
        apply(state, &Command { ts, action: Action::Cancel(cancel) }, &mut Vec::new());
    };
    for order in 1..=5_000 {
        place(&mut state, START);
        // Pages have 1,024 numbers; of each but the second, one order lives on.
        if order % 1_024 != 7 || order / 1_024 == 1 {
            cancel(&mut state, START, order);
        }
    }
    apply(&mut state, &Command { ts: START + 60 * SECOND - 1, action: Action::Tick }, &mut Vec::new());
    assert_eq!(state.status(OrderId(1_500)), Some(Status::Cancelled));
    let before = state.bytes();
    apply(&mut state, &Command { ts: START + 60 * SECOND, action: Action::Tick }, &mut Vec::new());
    assert_eq!(state.status(OrderId(1_500)), None);
    assert_eq!(state.status(OrderId(1_023)), Some(Status::Cancelled), "its page has an open order");
    assert!(state.bytes() < before);
    state.audit().unwrap();
    assert_eq!(State::decode(&state.encode()).unwrap().digest(), state.digest());
    for order in [7, 2_055, 3_079, 4_103] {
        cancel(&mut state, START + 61 * SECOND, order);
    }
    apply(&mut state, &Command { ts: START + 200 * SECOND, action: Action::Tick }, &mut Vec::new());
    assert_eq!(state.status(OrderId(7)), None);
    assert_eq!(state.status(OrderId(4_999)), Some(Status::Cancelled), "its page is not full yet");
    state.audit().unwrap();
}

#[test]
fn placing_and_cancelling_for_ever_takes_no_memory() {
    let mut state = State::new(Limits { retention_us: 0, ..Limits::default() });
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 1_000 };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    let round = |state: &mut State| {
        for _ in 0..10_000 {
            let place = Place::resting(AccountId(1), MARKET, Side::Ask, 100, 1);
            let mut events = Vec::new();
            apply(state, &Command { ts: START, action: Action::Place(place) }, &mut events);
            let Event::Book(BookEvent { change: Change::Placed(placed), .. }) = events[0] else { panic!() };
            for life in [60, 7_200, 60] {
                let expires_at = Some(START + life * SECOND);
                let amend = Amend {
                    account: AccountId(1),
                    key: None,
                    order: placed.order,
                    price: None,
                    quantity: None,
                    expires_at,
                };
                apply(state, &Command { ts: START, action: Action::Amend(amend) }, &mut events);
            }
            let cancel = Cancel { account: AccountId(1), key: None, order: placed.order };
            apply(state, &Command { ts: START, action: Action::Cancel(cancel) }, &mut events);
        }
        state.bytes()
    };
    let first = round(&mut state);
    (0..5).for_each(|_| _ = round(&mut state));
    assert!(round(&mut state) <= first + 8_192, "{first} bytes grew to {}", state.bytes());
}

#[test]
fn accounts_that_come_and_go_take_no_memory() {
    let mut state = State::new(Limits { retention_us: 0, ..Limits::default() });
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 1_000 };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    let staying = Place::resting(AccountId(7), MARKET, Side::Bid, 1, 1);
    apply(&mut state, &Command { ts: START, action: Action::Place(staying) }, &mut Vec::new());
    apply(
        &mut state,
        &Command { ts: START, action: Action::PauseSelling { account: AccountId(8) } },
        &mut Vec::new(),
    );
    let mut come_and_go = |from: u128| {
        for account in (from..from + 5_000).map(AccountId) {
            let place = Place::resting(account, MARKET, Side::Ask, 100, 1);
            let mut events = Vec::new();
            apply(&mut state, &Command { ts: START, action: Action::Place(place) }, &mut events);
            let Event::Book(BookEvent { change: Change::Placed(placed), .. }) = events[0] else { panic!() };
            let cancel = Cancel { account, key: None, order: placed.order };
            apply(&mut state, &Command { ts: START, action: Action::Cancel(cancel) }, &mut events);
            assert_eq!(state.status(placed.order), Some(Status::Cancelled));
        }
        state.audit().unwrap();
        assert_eq!(state.order(OrderId(1)).unwrap().account, AccountId(7));
        assert!(state.is_selling_paused(AccountId(8)));
        state.bytes()
    };
    let first = come_and_go(1_000);
    assert!(come_and_go(1_000_000) <= first + 8_192);
}
