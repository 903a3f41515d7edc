//! How long an order waits for an answer, how often it asks again, and when it gives up.

use chrono::TimeDelta;

use super::State;

/// How long a buyer may take to confirm with their bank.
const CONFIRMING: TimeDelta = TimeDelta::minutes(15);
/// The wait before the first repeat of an ask; it doubles with each further one.
const FIRST: TimeDelta = TimeDelta::seconds(2);
/// The longest wait between two repeats.
const LONGEST: TimeDelta = TimeDelta::seconds(60);
/// Repeats of an ask before the pivot: about two minutes.
const REPEATS_BEFORE: i32 = 6;
/// Repeats of an ask that only an operator could replace: about a quarter of an hour.
const REPEATS_AFTER: i32 = 20;

/// What it means that the time of a state is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Ask again.
    Silence,
    /// Stop asking.
    GaveUp,
}

/// What it means that `state` has waited long enough, after so many repeats.
pub fn due(state: State, repeats: i32) -> Due {
    let repeats_max = match state {
        State::Confirming => 0,
        State::Reserving | State::Authorising => REPEATS_BEFORE,
        _ => REPEATS_AFTER,
    };
    if repeats < repeats_max { Due::Silence } else { Due::GaveUp }
}

/// How long to wait in `state` after so many repeats. `roll` is any number: it spreads the repeats of many orders over
/// the second half of the wait. `None`: nothing is waited for.
pub fn pause(state: State, repeats: i32, roll: u64) -> Option<TimeDelta> {
    if state.is_over() || state.needs_operator() {
        return None;
    }
    if state == State::Confirming {
        return Some(CONFIRMING);
    }
    let longest = (FIRST * 2_i32.pow(repeats.clamp(0, 8) as u32)).min(LONGEST).num_milliseconds();
    let spread = i64::try_from(roll % (longest as u64 / 2)).expect("half a wait is a small number");
    Some(TimeDelta::milliseconds(longest / 2 + spread))
}
