//! How long a trade waits: for answers, which it asks for again, and for people, who have days.

use chrono::TimeDelta;

use super::{Heard, State};
use crate::trade::rules::Rules;

/// The wait before the first repeat of an ask; it doubles with each further one.
const FIRST: TimeDelta = TimeDelta::seconds(2);
/// The longest wait between two repeats.
const LONGEST: TimeDelta = TimeDelta::seconds(60);
/// Repeats of an ask: about a quarter of an hour.
const REPEATS: i32 = 20;

/// What a trade hears when `state` has waited long enough, after so many repeats.
pub fn due(state: State, repeats: i32) -> Heard {
    match state {
        State::Confirming | State::AwaitingShipment | State::InTransit | State::Dispatched => Heard::TimeUp,
        _ if repeats < REPEATS => Heard::Silence,
        _ => Heard::GaveUp,
    }
}

/// How long to wait in `state` after so many repeats. `roll` is any number: it spreads the repeats of many trades over
/// the second half of the wait. `None`: nothing is waited for, or the centre, whose tasks show how old they are.
pub fn pause(rules: &Rules, state: State, repeats: i32, roll: u64) -> Option<TimeDelta> {
    Some(match state {
        State::Confirming => rules.confirm_within,
        State::AwaitingShipment => rules.ship_within,
        State::InTransit => rules.arrive_within,
        State::Dispatched => rules.delivered_after,
        State::Authorising | State::Capturing | State::Voiding | State::Refunding | State::Releasing => {
            answer(repeats, roll)
        }
        _ => return None,
    })
}

fn answer(repeats: i32, roll: u64) -> TimeDelta {
    let longest = (FIRST * 2_i32.pow(repeats.clamp(0, 8) as u32)).min(LONGEST).num_milliseconds();
    let spread = i64::try_from(roll % (longest as u64 / 2)).expect("half a wait is a small number");
    TimeDelta::milliseconds(longest / 2 + spread)
}
