//! Many commands at once are the same as one by one.

use matching::*;

use crate::script::{MARKET, START};

/// More than lie in the cache, so that commands are looked at before their turn.
const ORDERS: u64 = 90_000;

/// Orders that rest and match; then cancels, amends and repeats of some, of numbers and markets that are not there as well.
fn commands() -> Vec<Command> {
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 10_000 };
    let open = [Action::SetMarket { market: MARKET, rules }];
    let places = (0..ORDERS).map(place);
    let changes = (0..ORDERS / 8).map(|number| change(digest_of(&number.to_be_bytes()), number));
    let actions = open.into_iter().chain(places).chain(changes);
    (START..).zip(actions).map(|(ts, action)| Command { ts, action }).collect()
}

fn place(number: u64) -> Action {
    let drawn = digest_of(&number.to_be_bytes());
    let account = AccountId(u128::from(drawn % 3_000));
    let (side, price) = if drawn & 1 == 0 { (Side::Bid, 990) } else { (Side::Ask, 1_000) };
    let away = (drawn >> 8) as i64 % 200 - 8;
    let price = if side == Side::Bid { price - away } else { price + away };
    let key = drawn.is_multiple_of(3).then_some(Key(number.into()));
    Action::Place(Place { key, ..Place::resting(account, MARKET, side, price, 1 + (drawn >> 20) as u32 % 3) })
}

fn change(drawn: u64, number: u64) -> Action {
    let order = OrderId(drawn % (ORDERS + 100));
    let Action::Place(Place { account, .. }) = place(order.0.wrapping_sub(1)) else { panic!() };
    match number % 5 {
        0 => Action::Cancel(Cancel { account, key: None, order }),
        1 => Action::Cancel(Cancel { account, key: Some(Key(drawn.into())), order }),
        2 => {
            let price = Some(900 + (drawn >> 32) as i64 % 200);
            Action::Amend(Amend { account, key: None, order, price, quantity: None, expires_at: None })
        }
        3 => place(drawn % ORDERS),
        _ => Action::Place(Place::resting(account, MarketId(9), Side::Bid, 1, 1)),
    }
}

#[test]
fn commands_at_once_are_the_same_as_one_by_one() {
    let commands = commands();
    let (mut one_by_one, mut at_once) = (State::new(Limits::default()), State::new(Limits::default()));
    let (mut events, mut ends) = (Vec::new(), Vec::new());
    for command in &commands {
        apply(&mut one_by_one, command, &mut events);
        ends.push(events.len());
    }
    let (mut others, mut told) = (Vec::new(), Vec::new());
    for row in commands.chunks(1_000) {
        let (from, before) = (others.len(), told.len());
        apply_all(&mut at_once, row, &mut others, |position, caused| {
            assert_eq!(position, told.len() - before);
            told.push(told.last().copied().unwrap_or(0) + caused.len());
        });
        assert_eq!(told.last(), Some(&others.len()), "from {from}");
    }
    assert!(events == others && ends == told);
    assert!(one_by_one.orders_len() > 65_536, "{} are too few", one_by_one.orders_len());
    assert_eq!(one_by_one.digest(), at_once.digest());
    assert_eq!(at_once.audit(), Ok(()));
}
