//! Places at which a process can be made to die, for tests of what a kill leaves behind. Release builds have none.

#[cfg(debug_assertions)]
use std::sync::Mutex;

/// A step's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Everything of a transaction is written, and nobody can see it yet.
    BeforeCommit,
    /// It is true, and nobody has heard of it.
    AfterCommit,
    /// Every consumer has a batch of events, and it is not marked as published.
    Delivered,
    /// Somebody outside did what they were asked, and the answer is not written down.
    Called,
}

/// Where the process is to die, and how often it passes there first.
#[cfg(debug_assertions)]
struct Armed {
    service: String,
    place: Place,
    passes: u32,
}

#[cfg(debug_assertions)]
static ARMED: Mutex<Option<Armed>> = Mutex::new(None);

/// From now on the process dies when `service` passes `place` for the `nth` time, counted from 1.
#[cfg(debug_assertions)]
pub fn arm(service: &str, place: Place, nth: u32) {
    let armed = Armed { service: service.into(), place, passes: nth.saturating_sub(1) };
    *ARMED.lock().expect("no code panics while it holds this lock") = Some(armed);
}

/// Nothing dies here.
#[cfg(not(debug_assertions))]
pub fn arm(_service: &str, _place: Place, _nth: u32) {}

/// Passes a place.
#[cfg(debug_assertions)]
pub fn pass(service: &str, place: Place) {
    let mut armed = ARMED.lock().expect("no code panics while it holds this lock");
    let Some(armed) = armed.as_mut().filter(|armed| armed.service == service && armed.place == place) else {
        return;
    };
    match armed.passes.checked_sub(1) {
        Some(left) => armed.passes = left,
        None => std::process::abort(),
    }
}

/// Passes a place.
#[cfg(not(debug_assertions))]
pub fn pass(_service: &str, _place: Place) {}
