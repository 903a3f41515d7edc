//! The rules, one by one, and the faults that order books are known for.

use matching::*;

use crate::script::{MARKET, Player, SECOND, START, check};

#[test]
fn the_earlier_of_two_equal_asks_sells_first() {
    check("sell 1 @ 100\nsell 2 @ 100\nbuy 3 @ 120", "rests\nrests\n3 buys from 1 at 100");
}

#[test]
fn a_better_price_goes_before_an_earlier_order() {
    check("buy 1 @ 100\nbuy 2 @ 101\nsell 3 @ 90", "rests\nrests\n3 sells to 2 at 101");
}

#[test]
fn the_rest_of_a_limit_order_rests_at_its_own_limit() {
    check(
        "sell 1 @ 100\nbuy 2 @ 110 x3\nsell 3 @ 110",
        "rests\n2 buys from 1 at 100, rests x2\n3 sells to 2 at 110",
    );
}

#[test]
fn a_limit_order_does_not_walk_through_its_limit() {
    check(
        "sell 1 @ 100\nsell 2 @ 101\nsell 3 @ 102\nbuy 4 @ 101 x9",
        "rests\nrests\nrests\n4 buys from 1 at 100, 4 buys from 2 at 101, rests x7",
    );
}

#[test]
fn a_cancel_in_the_middle_keeps_those_behind() {
    check(
        "sell 1 @ 100\nsell 2 @ 100\nsell 3 @ 100\nsell 4 @ 100\ncancel 2\ncancel 3\nbuy 5 @ 100 x3",
        "rests\nrests\nrests\nrests\n2 x1 ends: Owner\n3 x1 ends: Owner
         5 buys from 1 at 100, 5 buys from 4 at 100, rests",
    );
}

#[test]
fn a_cancel_at_either_end_keeps_the_others() {
    check(
        "sell 1 @ 100\nsell 2 @ 100\nsell 3 @ 100\ncancel 1\ncancel 3\nsell 4 @ 100\nbuy 5 @ 100 x2",
        "rests\nrests\nrests\n1 x1 ends: Owner\n3 x1 ends: Owner\nrests
         5 buys from 2 at 100, 5 buys from 4 at 100",
    );
}

#[test]
fn an_order_matched_in_part_keeps_its_place() {
    check(
        "sell 1 @ 100 x3\nsell 2 @ 100\nbuy 3 @ 100\nbuy 4 @ 100 x3",
        "rests x3\nrests\n3 buys from 1 at 100\n4 buys 2 from 1 at 100, 4 buys from 2 at 100",
    );
}

#[test]
fn the_best_price_is_right_after_the_last_order_of_a_level_goes() {
    check(
        "sell 1 @ 100\nsell 2 @ 105\ncancel 1\nbuy 3 @ 104\nbuy 4 @ 105\nsell 5 @ 104",
        "rests\nrests\n1 x1 ends: Owner\nrests\n4 buys from 2 at 105\n5 sells to 3 at 104",
    );
    check(
        "buy 1 @ 100\nbuy 2 @ 95\nsell 3 @ 100\nsell 4 @ 99\nsell 5 @ 95",
        "rests\nrests\n3 sells to 1 at 100\nrests\n5 sells to 2 at 95",
    );
}

#[test]
fn a_filled_maker_is_gone() {
    check(
        "sell 1 @ 100\nbuy 2 @ 100\ncancel 1\namend 1 @ 90\nbuy 3 @ 100",
        "rests\n2 buys from 1 at 100\nNotActive { status: Some(Filled) }\nNotActive { status: Some(Filled) }\nrests",
    );
}

#[test]
fn nothing_of_zero_pieces_is_taken_in_or_matched() {
    check(
        "sell 1 @ 100 x0\nbuy 1 @ 100 x0 now\nsell 1 @ 100\namend 1 x0\nbuy 2 @ 100\nbuy 3 @ 100",
        "QuantityZero\nQuantityZero\nrests\nQuantityZero\n2 buys from 1 at 100\nrests",
    );
}

#[test]
fn a_smaller_quantity_or_another_expiry_keeps_the_place() {
    check(
        "sell 1 @ 100 x3\nsell 2 @ 100\namend 1 x2 for 60\nbuy 3 @ 100 x3",
        "rests x3\nrests\nstays x2\n3 buys 2 from 1 at 100, 3 buys from 2 at 100",
    );
}

#[test]
fn a_larger_quantity_or_another_price_loses_the_place() {
    check(
        "sell 1 @ 100\nsell 2 @ 100\namend 1 x2\nbuy 3 @ 100 x2",
        "rests\nrests\nmoves x2, rests x2\n3 buys from 2 at 100, 3 buys from 1 at 100",
    );
    check(
        "sell 1 @ 100\nsell 2 @ 100\namend 1 @ 101\namend 1 @ 100\nbuy 3 @ 100",
        "rests\nrests\nmoves x1, rests\nmoves x1, rests\n3 buys from 2 at 100",
    );
}

#[test]
fn an_amend_that_crosses_matches_and_does_not_rest_crossed() {
    check(
        "sell 1 @ 100\nbuy 2 @ 90 x3\namend 2 @ 100\nsell 3 @ 95",
        "rests\nrests x3\nmoves x3, 2 buys from 1 at 100, rests x2\n3 sells to 2 at 100",
    );
    check(
        "sell 1 @ 100 x5\nbuy 2 @ 90 x3\namend 2 @ 100\ncancel 2",
        "rests x5\nrests x3\nmoves x3, 2 buys 3 from 1 at 100\nNotActive { status: Some(Filled) }",
    );
}

#[test]
fn a_new_total_counts_what_is_filled() {
    check(
        "sell 1 @ 100 x5\nbuy 2 @ 100 x2\namend 1 x2\namend 1 x3\nbuy 3 @ 100 x2",
        "rests x5\n2 buys 2 from 1 at 100\nNotAboveFilled { filled: 2 }\nstays x1\n3 buys from 1 at 100, rests",
    );
}

#[test]
fn an_amend_onto_one_s_own_order_ends_the_incoming_one() {
    check(
        "sell 1 @ 100 by 7\nbuy 2 @ 90 by 7\namend 2 @ 100 by 7\ncancel 2 by 7",
        "rests\nrests\nmoves x1, 2 x1 ends: SelfTrade\nNotActive { status: Some(Cancelled) }",
    );
}

#[test]
fn buy_now_takes_what_is_shown_or_better_and_leaves_nothing() {
    check(
        "sell 1 @ 100\nsell 2 @ 105\nbuy 3 @ 103 x3 now\nsell 4 @ 90\nbuy 5 @ 100 now",
        "rests\nrests\n3 buys from 1 at 100, 3 x2 ends: Immediate\nrests\n5 buys from 4 at 90",
    );
}

#[test]
fn an_immediate_order_is_refused_with_the_best_price_when_the_book_moved() {
    check(
        "buy 1 @ 100 now\nsell 1 @ 100\nbuy 2 @ 99 now\nbuy 2 @ 90\nsell 3 @ 91 now",
        "PriceMoved { best: None }\nrests\nPriceMoved { best: Some(100) }\nrests\nPriceMoved { best: Some(90) }",
    );
}

#[test]
fn an_incoming_order_stops_at_one_of_its_own_and_keeps_what_it_matched() {
    check(
        "sell 1 @ 100\nsell 2 @ 101 by 7\nsell 3 @ 101\nbuy 4 @ 101 x3 by 7\nbuy 5 @ 101 x2",
        "rests\nrests\nrests\n4 buys from 1 at 100, 4 x2 ends: SelfTrade
         5 buys from 2 at 101, 5 buys from 3 at 101",
    );
}

#[test]
fn an_incoming_order_may_end_its_own_resting_ones_instead() {
    check(
        "sell 1 @ 100 by 7\nsell 2 @ 101 by 7\nsell 3 @ 101\nbuy 4 @ 101 x3 by 7 takes\nsell 5 @ 101 x2",
        "rests\nrests\nrests
         1 x1 ends: SelfTrade, 2 x1 ends: SelfTrade, 4 buys from 3 at 101, rests x2
         5 sells 2 to 4 at 101",
    );
}

#[test]
fn an_order_dies_at_its_time_and_not_before() {
    check(
        "sell 1 @ 100 for 60\nwait 59\nbuy 2 @ 100\nsell 3 @ 100 for 60\nwait 60\nbuy 4 @ 100\ncancel 3",
        "rests\ntime passes\n2 buys from 1 at 100\nrests\n3 x1 expires, time passes\nrests
         NotActive { status: Some(Expired) }",
    );
}

#[test]
fn what_is_due_expires_in_the_order_of_time_then_number_before_anything_else() {
    let mut player = Player::new(Limits::default());
    for line in ["sell 1 @ 100 for 60", "buy 2 @ 50 for 30", "sell 3 @ 101 for 60", "sell 4 @ 102 for 7200"] {
        player.play(line);
    }
    player.now += 60 * SECOND;
    assert_eq!(player.play("buy 5 @ 101"), "2 x1 expires, 1 x1 expires, 3 x1 expires, rests");
    player.now += 2 * 3_600 * SECOND;
    assert_eq!(player.play("cancel 4"), "4 x1 expires, NotActive { status: Some(Expired) }");
}

#[test]
fn another_expiry_counts_from_then_on() {
    check(
        "sell 1 @ 100 for 60\namend 1 for 120\nwait 60\namend 1 for 10\nwait 9\nwait 1",
        "rests\nstays x1\ntime passes\nstays x1\ntime passes\n1 x1 expires, time passes",
    );
}

#[test]
fn an_expiry_is_after_now_and_within_the_longest_life() {
    let mut player = Player::new(Limits { lifetime_us: 60 * SECOND, ..Limits::default() });
    let latest = START + 60 * SECOND;
    let refused = format!("ExpiryOutOfRange {{ latest: {latest} }}");
    for (line, said) in [
        ("sell 1 @ 100 for 0", refused.as_str()),
        ("sell 1 @ 100 for 61", &refused),
        ("sell 1 @ 100 for 60", "rests"),
        ("amend 1 for 61", &refused),
        ("amend 1 for 0", &refused),
        ("sell 2 @ 100", "rests"),
        ("wait 60", "1 x1 expires, 2 x1 expires, time passes"),
    ] {
        assert_eq!(player.play(line), said, "{line}");
    }
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut player = Player::new(Limits::default());
    player.play("sell 1 @ 100 for 60");
    player.play("wait 60");
    player.now -= 50 * SECOND;
    assert_eq!(
        player.play("sell 2 @ 100 for 5"),
        format!("ExpiryOutOfRange {{ latest: {} }}", latest(&player))
    );
    assert_eq!(player.play("buy 2 @ 100"), "rests");
    player.now = i64::MIN;
    assert_eq!(player.play("tick"), "time passes");
    assert_eq!(player.state.now(), START + 60 * SECOND);
}

fn latest(player: &Player) -> i64 {
    player.state.now() + player.state.limits().lifetime_us
}

#[test]
fn another_s_order_is_as_if_there_were_none() {
    check(
        "sell 1 @ 100\ncancel 1 by 2\namend 1 @ 90 by 2\ncancel 9\nbuy 3 @ 100",
        "rests\nNotActive { status: None }\nNotActive { status: None }\nNotActive { status: None }\n3 buys from 1 at 100",
    );
}

#[test]
fn a_second_cancel_tells_the_end_of_the_first() {
    check(
        "sell 1 @ 100\ncancel 1\ncancel 1\nbuy 2 @ 100",
        "rests\n1 x1 ends: Owner\nNotActive { status: Some(Cancelled) }\nrests",
    );
}

#[test]
fn a_lapsed_authorisation_ends_a_bid() {
    check(
        "buy 1 @ 100\nlapse 1\nlapse 1\nsell 2 @ 100",
        "rests\n1 x1 ends: AuthLapsed\nNotActive { status: Some(Cancelled) }\nrests",
    );
}

#[test]
fn a_pause_ends_asks_and_no_bids_and_nothing_of_others() {
    check(
        "sell 1 @ 100 by 7\nbuy 2 @ 50 by 7\nsell 3 @ 100\nsell 4 @ 99 by 7\npause 7\nsell 5 @ 100 by 7
         resume 7\nsell 5 @ 100 by 7",
        "rests\nrests\nrests\nrests\npauses, 1 x1 ends: SellingPaused, 4 x1 ends: SellingPaused\nSellingPaused
         resumes\nrests",
    );
}

#[test]
fn an_ask_whose_buyer_does_not_pay_comes_back_to_its_old_place() {
    check(
        "sell 1 @ 100\nsell 2 @ 100\nbuy 3 @ 100\nunpaid 1\nbuy 4 @ 100\nbuy 5 @ 100",
        "rests\nrests\n3 buys from 1 at 100\n3 does not pay 1, 1 comes back, rests
         4 buys from 1 at 100\n5 buys from 2 at 100",
    );
}

#[test]
fn a_piece_joins_what_is_left_of_its_ask() {
    check(
        "sell 1 @ 100 x3\nsell 2 @ 100\nbuy 3 @ 100 x2\nunpaid 2\nunpaid 1\nbuy 4 @ 100 x4",
        "rests x3\nrests\n3 buys 2 from 1 at 100\n3 does not pay 1, 1 comes back, rests
         3 does not pay 1, 1 comes back, rests\n4 buys 3 from 1 at 100, 4 buys from 2 at 100",
    );
}

#[test]
fn a_returned_ask_that_crosses_matches_at_once() {
    check(
        "sell 1 @ 100\nbuy 2 @ 100\nbuy 3 @ 110\nunpaid 1",
        "rests\n2 buys from 1 at 100\nrests\n2 does not pay 1, 1 comes back, 1 sells to 3 at 110",
    );
}

#[test]
fn an_ask_stays_away_when_it_expired_or_was_ended_or_its_owner_will_not() {
    check(
        "sell 1 @ 100 for 60\nbuy 2 @ 100\nwait 60\nunpaid 1",
        "rests\n2 buys from 1 at 100\ntime passes\n2 does not pay 1",
    );
    check(
        "sell 1 @ 100 x2\nbuy 2 @ 100\ncancel 1\nunpaid 1",
        "rests x2\n2 buys from 1 at 100\n1 x1 ends: Owner\n2 does not pay 1",
    );
    check("sell 1 @ 100 for good\nbuy 2 @ 100\nunpaid 1", "rests\n2 buys from 1 at 100\n2 does not pay 1");
    check(
        "sell 1 @ 100\nbuy 2 @ 100\npause 1\nunpaid 1",
        "rests\n2 buys from 1 at 100\npauses\n2 does not pay 1",
    );
    check("buy 1 @ 100\nsell 2 @ 100 now\nunpaid 1", "rests\n2 sells to 1 at 100\n1 does not pay 2");
}

#[test]
fn a_payment_fails_once_and_only_of_a_match_that_is_remembered() {
    check(
        "sell 1 @ 100\nbuy 2 @ 100\nunpaid 1\nunpaid 1\nunpaid 2\nunpaid 0",
        "rests\n2 buys from 1 at 100\n2 does not pay 1, 1 comes back, rests\nAlreadyFailed\nUnknownTrade\nUnknownTrade",
    );
    let mut player = Player::new(Limits { retention_us: 60 * SECOND, ..Limits::default() });
    for line in ["sell 1 @ 100", "buy 2 @ 100", "wait 60"] {
        player.play(line);
    }
    assert_eq!(player.play("unpaid 1"), "UnknownTrade");
}

#[test]
fn a_key_gives_the_first_answer_again_and_does_nothing() {
    check(
        "sell 1 @ 100 by 7 keyed 5\nsell 1 @ 100 by 7 keyed 5\nbuy 2 @ 100 x2\ncancel 1 by 7 keyed 6\ncancel 1 by 7 keyed 6",
        "rests\nagain: 1 is Open\n2 buys from 1 at 100, rests\nNotActive { status: Some(Filled) }
         again: NotActive { status: Some(Filled) }",
    );
}

#[test]
fn a_key_with_another_command_is_a_conflict_and_keys_are_an_account_s_own() {
    check(
        "sell 1 @ 100 by 7 keyed 5\nsell 2 @ 101 by 7 keyed 5\nsell 2 @ 101 by 8 keyed 5",
        "rests\nIdempotencyConflict\nrests",
    );
}

#[test]
fn a_key_is_forgotten_after_its_time_and_not_before() {
    let mut player = Player::new(Limits { retention_us: 60 * SECOND, ..Limits::default() });
    for (line, said) in [
        ("sell 1 @ 0 by 7 keyed 5", "PriceOutOfRange { price_min: 1, price_max: 9223372036854775807 }"),
        ("wait 30", "time passes"),
        ("sell 1 @ 100 by 8 keyed 5", "rests"),
        ("wait 29", "time passes"),
        (
            "sell 2 @ 0 by 7 keyed 5",
            "again: PriceOutOfRange { price_min: 1, price_max: 9223372036854775807 }",
        ),
        ("wait 1", "time passes"),
        ("sell 2 @ 100 by 7 keyed 5", "rests"),
        ("wait 29", "time passes"),
        ("sell 1 @ 100 by 8 keyed 5", "again: 1 is Open"),
    ] {
        assert_eq!(player.play(line), said, "{line}");
    }
}

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

fn events(state: &mut State, action: Action) -> Vec<Event> {
    let mut events = Vec::new();
    apply(state, &Command { ts: START, action }, &mut events);
    state.audit().unwrap();
    events
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

#[test]
fn ten_thousand_orders_at_one_price_match_in_their_order() {
    let mut state = State::new(Limits::default());
    let rules = MarketRules { tick: 1, price_min: 1, price_max: 1_000 };
    events(&mut state, Action::SetMarket { market: MARKET, rules });
    for account in 0..10_000 {
        let place = Place::resting(AccountId(account), MARKET, Side::Ask, 100, 1);
        apply(&mut state, &Command { ts: START, action: Action::Place(place) }, &mut Vec::new());
    }
    let all = events(
        &mut state,
        Action::Place(Place::immediate(AccountId(77_777), MARKET, Side::Bid, 100, 10_000)),
    );
    let makers = all.iter().filter_map(|event| match event {
        Event::Book(BookEvent { change: Change::Matched(matched), .. }) => Some(matched.maker.0),
        _ => None,
    });
    assert!(makers.eq(1..=10_000));
    assert_eq!(state.orders_len(), 0);
}

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
