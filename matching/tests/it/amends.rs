//! Changes to resting orders: what keeps its place and what loses it.

use crate::script::check;

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
fn who_may_only_take_away_never_gets_more_than_there_is_now() {
    check(
        "sell 1 @ 100 x5 for 60\nreduce 1 x2\nreduce 1 x4\nreduce 1 for 61\nreduce 1 @ 90 x2 for 60\nreduce 1 x1 for 30",
        "rests x5\nstays x2\nNotLess\nNotLess\nmoves x2, rests x2\nstays x1",
    );
    check(
        "sell 1 @ 100 x3\nbuy 2 @ 100\nreduce 1 x3\nreduce 1 x4\nreduce 1 x1\nreduce 1 x2\nreduce 1 x2 by 7",
        "rests x3\n2 buys from 1 at 100\nstays x2\nNotLess\nNotAboveFilled { filled: 1 }\nstays x1\nNotActive { status: None }",
    );
}

/// Nothing is kept for the pieces of an ask that were sold: one that comes back is all there is.
#[test]
fn an_ask_of_which_one_piece_came_back_has_one() {
    check(
        "sell 1 @ 100 x3\nbuy 2 @ 100 x3\nunpaid 1\nreduce 1 x3\nreduce 1 x1",
        "rests x3\n2 buys 3 from 1 at 100\n2 does not pay 1, 1 comes back, rests\nNotLess\nstays x1",
    );
}

#[test]
fn a_change_is_the_same_request_whether_or_not_it_may_only_take_away() {
    check(
        "sell 1 @ 100 x3\namend 1 x2 keyed 5\nreduce 1 x2 keyed 5\nreduce 1 x1 keyed 5",
        "rests x3\nstays x2\nagain: 1 is Open\nIdempotencyConflict",
    );
}
