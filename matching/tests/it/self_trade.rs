//! R18: an account does not trade with itself.

use crate::script::check;

#[test]
fn an_amend_onto_one_s_own_order_ends_the_incoming_one() {
    check(
        "sell 1 @ 100 by 7\nbuy 2 @ 90 by 7\namend 2 @ 100 by 7\ncancel 2 by 7",
        "rests\nrests\nmoves x1, 2 x1 ends: SelfTrade\nNotActive { status: Some(Cancelled) }",
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
