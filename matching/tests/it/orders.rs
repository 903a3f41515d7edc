//! Placing and cancelling: priority, prices, and the faults that order books are known for.

use matching::*;

use crate::script::{MARKET, START, check, events};

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
