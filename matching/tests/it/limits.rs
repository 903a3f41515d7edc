//! R1, R19: what markets and accounts may have, and numbers at their ends.

use matching::*;

use crate::script::{MARKET, Player, check, events};

#[test]
fn an_account_has_as_many_orders_as_the_limits_say() {
    let mut player =
        Player::new(Limits { orders_per_account_and_market: 2, orders_per_account: 3, ..Limits::default() });
    for (line, said) in [
        ("sell 1 @ 100 by 7", "rests"),
        ("sell 2 @ 100 by 7", "rests"),
        ("sell 3 @ 100 by 7", "TooManyInMarket { max: 2 }"),
        ("buy 3 @ 100 by 8 now", "3 buys from 1 at 100"),
        ("sell 4 @ 100 by 7", "rests"),
        ("cancel 4 by 7", "4 x1 ends: Owner"),
        ("sell 5 @ 100 by 7", "rests"),
    ] {
        assert_eq!(player.play(line), said, "{line}");
    }
    let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000 };
    for market in [MarketId(2), MarketId(3)] {
        player.apply(Action::SetMarket { market, rules });
    }
    let place = |market| Action::Place(Place::resting(AccountId(7), market, Side::Bid, 100, 1));
    player.play("tick");
    assert_eq!(events(&mut player.state, place(MarketId(2))).len(), 2);
    let refused = Event::Refused { account: Some(AccountId(7)), refusal: Refusal::TooMany { max: 3 } };
    assert_eq!(events(&mut player.state, place(MarketId(3))), [refused]);
}

#[test]
fn prices_keep_to_the_tick_and_the_range() {
    let mut state = State::new(Limits::default());
    let rules = MarketRules { tick: 100, price_min: 200, price_max: 1_050 };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    let place = |price| Action::Place(Place::resting(AccountId(1), MARKET, Side::Bid, price, 1));
    for price in [150, 250, 1, -150, i64::MAX] {
        let refusal = Refusal::PriceOffTick { tick: 100 };
        assert_eq!(
            events(&mut state, place(price)),
            [Event::Refused { account: Some(AccountId(1)), refusal }]
        );
    }
    for price in [100, 0, -100, i64::MIN + 8, 1_100] {
        let refusal = Refusal::PriceOutOfRange { price_min: 200, price_max: 1_050 };
        assert_eq!(
            events(&mut state, place(price)),
            [Event::Refused { account: Some(AccountId(1)), refusal }],
            "{price}"
        );
    }
    for price in [200, 1_000] {
        assert_eq!(events(&mut state, place(price)).len(), 2);
    }
}

#[test]
fn rules_that_no_price_can_meet_are_refused() {
    let mut state = State::new(Limits::default());
    for (tick, price_min, price_max) in
        [(0, 1, 10), (-1, 1, 10), (1, 0, 10), (1, 10, 9), (100, 101, 199), (i64::MAX, 2, i64::MAX - 1)]
    {
        let rules = MarketRules { tick, price_min, price_max };
        let refused = Event::Refused { account: None, refusal: Refusal::BadRules };
        assert_eq!(events(&mut state, Action::SetMarket { market: MARKET, rules }), [refused], "{rules:?}");
    }
    let place = Place::resting(AccountId(1), MARKET, Side::Bid, 100, 1);
    let refused = Event::Refused { account: Some(AccountId(1)), refusal: Refusal::UnknownMarket };
    assert_eq!(events(&mut state, Action::Place(place)), [refused]);
}

#[test]
fn new_rules_leave_resting_orders_alone() {
    let mut player = Player::new(Limits::default());
    player.play("sell 1 @ 101 x2");
    let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000 };
    assert_eq!(player.apply(Action::SetMarket { market: MARKET, rules }), "opens");
    assert_eq!(player.play("amend 1 x1"), "stays x1");
    assert_eq!(player.play("amend 1 @ 103"), "PriceOffTick { tick: 100 }");
    assert_eq!(player.play("buy 2 @ 200"), "2 buys from 1 at 101");
}

#[test]
fn numbers_at_their_ends_are_counted_right_or_refused() {
    let top = u32::MAX;
    check(
        &format!(
            "sell 1 @ 1 x{top}\nsell 2 @ 1 x{top}\nbuy 3 @ 1 x{top}\nbuy 4 @ 1 x{top}\nbuy 5 @ 1 x{top}"
        ),
        &format!(
            "rests x{top}\nrests x{top}\n3 buys {top} from 1 at 1\n4 buys {top} from 2 at 1\nrests x{top}"
        ),
    );
    let (high, more) = (i64::MAX / 2, i64::MAX / 2 + 1);
    check(
        &format!(
            "sell 1 @ {more} x2\nsell 1 @ {high} x2\namend 1 x3\nbuy 2 @ {} now\namend 1 @ {}",
            i64::MAX,
            i64::MAX
        ),
        &format!("TooLarge\nrests x2\nTooLarge\n2 buys from 1 at {high}\nTooLarge"),
    );
}

/// Counts by market begin when they are needed, and must not pass from one account to the next.
#[test]
fn the_cap_of_a_market_holds_for_whoever_comes_after_many_others() {
    let limits = Limits { orders_per_account_and_market: 2, ..Limits::default() };
    let mut player = Player::new(limits);
    for account in 1..=200 {
        let [first, second, third] = [account * 10, account * 10 + 1, account * 10 + 2];
        for (line, said) in [
            (format!("sell {first} @ 100 by {account}"), "rests".into()),
            (format!("sell {second} @ 101 by {account}"), "rests".into()),
            (format!("buy {third} @ 50 by {account}"), "TooManyInMarket { max: 2 }".into()),
            (format!("cancel {first} by {account}"), format!("{first} x1 ends: Owner")),
            (format!("buy {third} @ 50 by {account}"), "rests".into()),
            (format!("buy 9 @ 50 by {account}"), "TooManyInMarket { max: 2 }".into()),
            (format!("cancel {second} by {account}"), format!("{second} x1 ends: Owner")),
            (format!("cancel {third} by {account}"), format!("{third} x1 ends: Owner")),
        ] {
            assert_eq!(player.play(&line), said, "{line}");
        }
    }
}

#[test]
fn every_market_keeps_its_own_rules() {
    let mut state = State::new(Limits::default());
    let rules = |tick| MarketRules { tick, price_min: 1, price_max: 1_000 };
    for (ticks, price) in [(100, 150), (1, 151), (90, 180)] {
        for market in 1..=200_i64 {
            events(
                &mut state,
                Action::SetMarket { market: MarketId(market as u128), rules: rules(1 + market % ticks) },
            );
        }
        for market in 1..=200_i64 {
            let id = MarketId(market as u128);
            assert_eq!(state.market(id).unwrap().rules(), rules(1 + market % ticks));
            let place = Place::immediate(AccountId(1), id, Side::Bid, price, 1);
            let tick = 1 + market % ticks;
            let refusal = match price % tick {
                0 => Refusal::PriceMoved { best: None },
                _ => Refusal::PriceOffTick { tick },
            };
            let refused = Event::Refused { account: Some(AccountId(1)), refusal };
            assert_eq!(events(&mut state, Action::Place(place)), [refused]);
        }
    }
}
