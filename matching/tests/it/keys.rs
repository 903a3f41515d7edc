//! R20: idempotency keys.

use matching::*;

use crate::script::{Player, SECOND, check};

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
