//! R10, R11: when orders die.

use matching::*;

use crate::script::{Player, SECOND, START, check};

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
fn an_order_in_the_place_of_one_that_is_gone_dies_at_its_own_time() {
    check(
        "sell 1 @ 100 for 7200\ncancel 1\nsell 2 @ 100 for 7300\nsell 3 @ 101 for 60\ncancel 2
         sell 4 @ 102 for 60\nwait 60\nsell 5 @ 100 for 7200\nwait 7199\nwait 1",
        "rests\n1 x1 ends: Owner\nrests\nrests\n2 x1 ends: Owner\nrests\n3 x1 expires, 4 x1 expires, time passes
         rests\ntime passes\n5 x1 expires, time passes",
    );
    check(
        "sell 1 @ 100 for 7200\namend 1 for 9\namend 1 for 7300\namend 1 for 9000\nwait 7201\nwait 1799",
        "rests\nstays x1\nstays x1\nstays x1\ntime passes\n1 x1 expires, time passes",
    );
}
