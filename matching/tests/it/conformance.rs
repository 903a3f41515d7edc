//! What an outside suite would drive: long queues, deep sweeps, numbers at their ends, slots used again, and a mirror.

use std::collections::BTreeMap;

use matching::*;
use proptest::prelude::*;

use crate::script::{MARKET, Player, SECOND, START, check, events};

fn market(tick: Price) -> State {
    let mut state = State::new(Limits { orders_per_account_and_market: u32::MAX, ..Limits::default() });
    let rules = MarketRules { tick, price_min: tick, price_max: i64::MAX };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    state
}

/// Applies without the audit, which would read the whole state each time.
fn play(state: &mut State, action: Action) -> Vec<Event> {
    let mut events = Vec::new();
    apply(state, &Command { ts: START, action }, &mut events);
    events
}

fn rest(state: &mut State, account: u128, side: Side, price: Price, quantity: Quantity) -> OrderId {
    let place = Place::resting(AccountId(account), MARKET, side, price, quantity);
    match play(state, Action::Place(place))[0] {
        Event::Book(BookEvent { change: Change::Placed(placed), .. }) => placed.order,
        other => panic!("{other:?}"),
    }
}

fn cancel(state: &mut State, account: u128, order: OrderId) -> Vec<Event> {
    play(state, Action::Cancel(Cancel { account: AccountId(account), key: None, order }))
}

fn matches(events: &[Event]) -> Vec<Matched> {
    let matched = events.iter().filter_map(|event| match event {
        Event::Book(BookEvent { change: Change::Matched(matched), .. }) => Some(*matched),
        _ => None,
    });
    matched.collect()
}

#[test]
fn of_ten_thousand_at_one_price_those_that_stay_keep_their_order() {
    let mut state = market(1);
    let orders: Vec<OrderId> =
        (0..10_000).map(|account| rest(&mut state, account, Side::Bid, 100, 1)).collect();
    // Scrambled: 7,919 is prime to 10,000. All but each third go.
    let scrambled = (0..10_000_usize).map(|step| step * 7_919 % 10_000);
    for gone in scrambled.filter(|at| at % 3 != 0) {
        cancel(&mut state, gone as u128, orders[gone]);
    }
    assert_eq!(state.audit(), Ok(()));
    let sale = Place::resting(AccountId(77_777), MARKET, Side::Ask, 100, 20_000);
    let makers = matches(&play(&mut state, Action::Place(sale))).into_iter().map(|matched| matched.maker);
    assert!(makers.eq(orders.iter().copied().step_by(3)));
    let view = state.market(MARKET).unwrap();
    assert_eq!((view.best(Side::Bid), view.best(Side::Ask)), (None, Some(100)));
    assert_eq!(view.depth(Side::Ask).next().map(|depth| depth.quantity), Some(20_000 - 3_334));
}

#[test]
fn a_sweep_of_a_thousand_prices_pays_each_maker_its_own() {
    let mut state = market(100);
    for step in 0..1_000 {
        // In no order: each price once.
        let price = 100 * (1 + step * 617 % 1_000);
        rest(&mut state, 1, Side::Ask, price, 2);
    }
    let sweep = Place::immediate(AccountId(2), MARKET, Side::Bid, 99_900, 1_999);
    let swept = play(&mut state, Action::Place(sweep));
    let paid: Vec<(Price, Quantity)> =
        matches(&swept).iter().map(|matched| (matched.price, matched.quantity)).collect();
    let expected = (1..=999).map(|step| (step * 100, 2));
    assert!(paid.into_iter().eq(expected), "up to its limit and no further");
    let Some(Event::Book(BookEvent { change: Change::Cancelled(rest), .. })) = swept.last() else { panic!() };
    assert_eq!((rest.quantity, rest.reason, rest.resting), (1, Reason::Immediate, false));
    assert_eq!(state.market(MARKET).unwrap().best(Side::Ask), Some(100_000));
    assert_eq!(state.audit(), Ok(()));
}

#[test]
fn pieces_are_numbered_in_the_order_in_which_they_match() {
    let mut state = market(1);
    for (account, quantity) in [(1, 3), (2, 1), (3, 5)] {
        rest(&mut state, account, Side::Ask, 100, quantity);
    }
    let bid = Place::resting(AccountId(9), MARKET, Side::Bid, 100, 6);
    let matched = matches(&play(&mut state, Action::Place(bid)));
    let numbers: Vec<_> =
        matched.iter().map(|matched| (matched.trade.0, matched.quantity, matched.maker_remaining)).collect();
    assert_eq!(numbers, [(1, 3, 0), (4, 1, 0), (5, 2, 3)]);
    let left: Vec<Quantity> = matched.iter().map(|matched| matched.taker_remaining).collect();
    assert_eq!(left, [3, 2, 0]);
}

#[test]
fn who_takes_the_place_of_an_order_that_is_gone_is_not_that_order() {
    check(
        "sell 1 @ 100\ncancel 1\nsell 2 @ 100\ncancel 1\namend 1 @ 90\nlapse 1\nbuy 3 @ 100",
        "rests\n1 x1 ends: Owner\nrests\nNotActive { status: Some(Cancelled) }
         NotActive { status: Some(Cancelled) }\nNotActive { status: Some(Cancelled) }\n3 buys from 2 at 100",
    );
}

#[test]
fn an_immediate_order_stays_ended_whatever_is_asked_of_it() {
    check(
        "sell 1 @ 100\nbuy 2 @ 100 x3 now\nsell 3 @ 90\ncancel 2\namend 2 x5\namend 2 @ 110\nlapse 2",
        "rests\n2 buys from 1 at 100, 2 x2 ends: Immediate\nrests\nNotActive { status: Some(Cancelled) }
         NotActive { status: Some(Cancelled) }\nNotActive { status: Some(Cancelled) }
         NotActive { status: Some(Cancelled) }",
    );
}

#[test]
fn an_order_at_the_very_price_of_the_other_side_matches_and_does_not_lock() {
    check(
        "buy 1 @ 100\nsell 2 @ 101\namend 1 @ 101\nsell 3 @ 105 x2\nbuy 4 @ 104\namend 3 @ 104",
        "rests\nrests\nmoves x1, 1 buys from 2 at 101\nrests x2\nrests\nmoves x2, 3 sells to 4 at 104, rests",
    );
}

#[test]
fn at_its_last_moment_an_order_is_neither_matched_nor_shown_nor_prolonged() {
    let mut player = Player::new(Limits::default());
    for line in ["sell 1 @ 100 for 60", "sell 2 @ 105 for 61", "buy 3 @ 90 for 60"] {
        player.play(line);
    }
    player.now += 60 * SECOND;
    assert_eq!(player.play("buy 4 @ 100 now"), "1 x1 expires, 3 x1 expires, PriceMoved { best: Some(105) }");
    assert_eq!(player.play("amend 1 for 90"), "NotActive { status: Some(Expired) }");
    assert_eq!(player.play("cancel 3"), "NotActive { status: Some(Expired) }");
    assert_eq!(player.play("buy 4 @ 105"), "4 buys from 2 at 105");
}

#[test]
fn a_clock_that_goes_back_neither_revives_nor_prolongs() {
    let mut player = Player::new(Limits::default());
    player.play("sell 1 @ 100 for 60");
    player.play("sell 2 @ 101 for 120");
    player.play("wait 60");
    player.now = START;
    assert_eq!(player.play("buy 3 @ 100"), "rests");
    assert_eq!(player.play("sell 4 @ 100 for 1"), "ExpiryOutOfRange { latest: 1802592060000000 }");
    player.now = START + 119 * SECOND;
    assert_eq!(player.play("tick"), "time passes");
    player.now = START + 120 * SECOND;
    assert_eq!(player.play("tick"), "2 x1 expires, time passes");
}

#[test]
fn an_own_order_is_never_passed_over() {
    check(
        "sell 1 @ 100 by 7\nsell 2 @ 100\nbuy 3 @ 100 by 7 now\nbuy 4 @ 100 x2 by 8\ncancel 3 by 7",
        "rests\nrests\n3 x1 ends: SelfTrade\n4 buys from 1 at 100, 4 buys from 2 at 100
         NotActive { status: Some(Cancelled) }",
    );
    check(
        "sell 1 @ 100 x3 by 7\nsell 2 @ 100\nbuy 3 @ 100 x2 by 7 takes\nbuy 4 @ 90 by 7\nsell 5 @ 95 by 7",
        "rests x3\nrests\n1 x3 ends: SelfTrade, 3 buys from 2 at 100, rests\nrests\n5 x1 ends: SelfTrade",
    );
}

#[test]
fn a_level_holds_more_pieces_than_an_order_can_have() {
    let mut state = market(1);
    for account in 0..3 {
        rest(&mut state, account, Side::Ask, 1, u32::MAX);
    }
    let depth = |state: &State| state.market(MARKET).unwrap().depth(Side::Ask).next().unwrap();
    assert_eq!(depth(&state), Depth { price: 1, quantity: 3 * u64::from(u32::MAX), orders: 3 });
    rest(&mut state, 9, Side::Bid, 1, u32::MAX);
    let one_less = Amend {
        account: AccountId(1),
        key: None,
        order: OrderId(2),
        price: None,
        quantity: Some(u32::MAX - 1),
        expires_at: None,
    };
    play(&mut state, Action::Amend(one_less));
    assert_eq!(depth(&state), Depth { price: 1, quantity: 2 * u64::from(u32::MAX) - 1, orders: 2 });
    assert_eq!(state.audit(), Ok(()));
}

#[test]
fn markets_do_not_meet() {
    let mut state = market(1);
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 1_000 };
    events(&mut state, Action::SetMarket { market: MarketId(2), rules });
    rest(&mut state, 1, Side::Ask, 100, 1);
    let elsewhere = Place::immediate(AccountId(2), MarketId(2), Side::Bid, 100, 1);
    let refusal = Refusal::PriceMoved { best: None };
    assert_eq!(
        events(&mut state, Action::Place(elsewhere)),
        [Event::Refused { account: Some(AccountId(2)), refusal }]
    );
}

/// An order that rests or a change to the one so many places before.
#[derive(Clone, Debug)]
enum Step {
    Place { is_bid: bool, price: Price, quantity: Quantity, account: u8 },
    Cancel { back: u64 },
    Amend { back: u64, price: Option<Price>, quantity: Option<Quantity> },
}

/// Prices from 1 to `top`.
fn steps(top: Price, len: usize) -> impl Strategy<Value = Vec<Step>> {
    let place = (any::<bool>(), 1..=top, 1..5_u32, 0..6_u8)
        .prop_map(|(is_bid, price, quantity, account)| Step::Place { is_bid, price, quantity, account });
    let amend = (0..60_u64, prop::option::of(1..=top), prop::option::of(1..6_u32))
        .prop_map(|(back, price, quantity)| Step::Amend { back, price, quantity });
    let step = prop_oneof![6 => place, 2 => (0..60_u64).prop_map(|back| Step::Cancel { back }), 1 => amend];
    prop::collection::vec(step, 1..len)
}

/// Plays steps, on the other side of a mirror if asked for: bids are asks there, and high prices low.
fn fills(steps: &[Step], mirror: Option<Price>) -> Vec<Vec<(OrderId, OrderId, Price, Quantity)>> {
    let mut state = market(1);
    let seen = |price: Price| mirror.map_or(price, |mirror| mirror - price);
    let (mut accounts, mut fills) = (vec![AccountId(0)], Vec::new());
    for step in steps {
        let named = |back: u64| OrderId((accounts.len() as u64 - 1).saturating_sub(back));
        let action = match *step {
            Step::Place { is_bid, price, quantity, account } => {
                accounts.push(AccountId(account.into()));
                let side = if is_bid == mirror.is_none() { Side::Bid } else { Side::Ask };
                Action::Place(Place::resting(AccountId(account.into()), MARKET, side, seen(price), quantity))
            }
            Step::Cancel { back } => {
                let order = named(back);
                Action::Cancel(Cancel { account: accounts[order.0 as usize], key: None, order })
            }
            Step::Amend { back, price, quantity } => {
                let (order, price) = (named(back), price.map(seen));
                let account = accounts[order.0 as usize];
                Action::Amend(Amend { account, key: None, order, price, quantity, expires_at: None })
            }
        };
        let events = events(&mut state, action);
        let fill = |matched: &Matched| (matched.maker, matched.taker, seen(matched.price), matched.quantity);
        fills.push(matches(&events).iter().map(fill).collect());
    }
    fills
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither side is favoured: what is true of bids is true of asks.
    #[test]
    fn both_sides_are_each_other_s_mirror(steps in steps(12, 120)) {
        prop_assert_eq!(fills(&steps, None), fills(&steps, Some(1_000)));
    }

    /// Deep books with holes, whose tick changes while orders rest: each price is found, and no other.
    #[test]
    fn prices_are_found_in_any_book(steps in steps(300, 250), ticks in (1..8_i64, 1..8_i64), at in 0..250_usize) {
        let mut state = market(ticks.0);
        let mut depth: BTreeMap<Price, u64> = BTreeMap::new();
        let mut resting: BTreeMap<u64, (Price, Quantity)> = BTreeMap::new();
        for (index, step) in steps.iter().enumerate() {
            let tick = if index < at { ticks.0 } else { ticks.1 };
            if index == at {
                let rules = MarketRules { tick, price_min: tick, price_max: i64::MAX };
                play(&mut state, Action::SetMarket { market: MARKET, rules });
            }
            match *step {
                Step::Place { price, quantity, .. } => {
                    let price = price * tick;
                    let order = rest(&mut state, 1, Side::Ask, price, quantity);
                    resting.insert(order.0, (price, quantity));
                    *depth.entry(price).or_default() += u64::from(quantity);
                }
                Step::Cancel { back } | Step::Amend { back, .. } => {
                    let Some((order, (price, quantity))) = resting.iter().nth(back as usize * 3) else { continue };
                    let (order, price, quantity) = (*order, *price, *quantity);
                    cancel(&mut state, 1, OrderId(order));
                    resting.remove(&order);
                    *depth.get_mut(&price).unwrap() -= u64::from(quantity);
                    depth.retain(|_, quantity| *quantity > 0);
                }
            }
            let shown = state.market(MARKET).unwrap().depth(Side::Ask).map(|depth| (depth.price, depth.quantity));
            prop_assert!(shown.eq(depth.iter().map(|(price, quantity)| (*price, *quantity))));
            prop_assert_eq!(state.audit(), Ok(()));
        }
    }
}
