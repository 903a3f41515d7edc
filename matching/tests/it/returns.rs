//! R17: an ask whose buyer could not pay.

use matching::*;

use crate::script::{Player, SECOND, check};

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
