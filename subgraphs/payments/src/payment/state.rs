//! How a payment moves: one table, read from top to bottom.

use entity::payments::payment::State;

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    AskedToAuthorise,
    AskedToCapture,
    AskedToVoid,
    /// The provider holds the money.
    Held,
    /// The buyer must confirm with their bank.
    ActionNeeded,
    /// The buyer's bank says no.
    Declined,
    /// It cannot be, or its time was over before it was asked for.
    Impossible,
    /// The provider has taken the money.
    Captured,
    /// The provider holds nothing any more.
    LetGo,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    SendCapture,
    SendVoid,
    /// Take the authorisation back if nobody has begun to send it.
    StopAuthorise,
    BookCapture,
    SayAuthorised,
    SayNeedsAction,
    SayDeclined,
    SayCaptured,
    SayCaptureFailed,
    SayVoided,
}

/// The next state and what to do. `None`: not a move from here; nothing changes.
///
/// Nothing is held that nobody wants: whatever the provider holds of a payment that is voided, declined or failed is
/// given up. What was captured stays captured: it goes back by a refund only.
pub fn next(state: State, heard: Heard) -> Option<(State, &'static [Then])> {
    use Heard::*;
    use State as S;
    use Then::*;
    Some(match (state, heard) {
        (S::Authorising | S::Voiding, AskedToAuthorise) => (state, &[]),
        (S::NeedsAction, AskedToAuthorise) => (state, &[SayNeedsAction]),
        (S::Declined | S::Failed, AskedToAuthorise) => (state, &[SayDeclined]),
        (S::Voided, AskedToAuthorise) => (state, &[SayVoided]),
        (_, AskedToAuthorise) => (state, &[SayAuthorised]),

        (S::Authorised, AskedToCapture) => (S::Capturing, &[SendCapture]),
        (S::Capturing, AskedToCapture) => (state, &[]),
        (S::Captured | S::PartlyRefunded | S::Refunded | S::Disputed, AskedToCapture) => {
            (state, &[SayCaptured])
        }
        (_, AskedToCapture) => (state, &[SayCaptureFailed]),

        (S::Authorising, AskedToVoid) => (S::Voiding, &[StopAuthorise]),
        (S::NeedsAction | S::Authorised, AskedToVoid) => (S::Voiding, &[SendVoid]),
        (S::Voiding | S::Capturing, AskedToVoid) => (state, &[]),
        (S::Voided | S::Declined | S::Failed, AskedToVoid) => (state, &[SayVoided]),
        (_, AskedToVoid) => (state, &[SayCaptured]),

        (S::Authorising | S::NeedsAction, Held) => (S::Authorised, &[SayAuthorised]),
        (S::Authorising, ActionNeeded) => (S::NeedsAction, &[SayNeedsAction]),
        (S::Authorising | S::NeedsAction, Declined) => (S::Declined, &[SayDeclined]),
        (S::Authorising | S::NeedsAction, Impossible) => (S::Failed, &[SayDeclined]),
        (S::Authorising | S::NeedsAction | S::Authorised, LetGo) => (S::Voided, &[SayVoided]),

        (S::Voiding | S::Voided | S::Declined | S::Failed, Held | ActionNeeded) => (S::Voiding, &[SendVoid]),
        (S::Voiding, Declined | Impossible | LetGo) => (S::Voided, &[SayVoided]),

        (S::Capturing, Declined | Impossible | LetGo) => (S::Failed, &[SayCaptureFailed]),
        (
            S::Authorising
            | S::NeedsAction
            | S::Authorised
            | S::Voiding
            | S::Voided
            | S::Declined
            | S::Failed
            | S::Capturing,
            Captured,
        ) => (S::Captured, &[BookCapture, SayCaptured]),
        _ => return None,
    })
}

/// The state of a payment that was captured: it follows from the sums.
pub fn settled(captured_minor: i64, refunded_minor: i64, disputes_open: i32) -> State {
    match refunded_minor {
        _ if disputes_open > 0 => State::Disputed,
        0 => State::Captured,
        all if all == captured_minor => State::Refunded,
        _ => State::PartlyRefunded,
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    const HEARD: [Heard; 9] = [
        Heard::AskedToAuthorise,
        Heard::AskedToCapture,
        Heard::AskedToVoid,
        Heard::Held,
        Heard::ActionNeeded,
        Heard::Declined,
        Heard::Impossible,
        Heard::Captured,
        Heard::LetGo,
    ];

    fn is_captured(state: State) -> bool {
        use State::*;
        matches!(state, Captured | PartlyRefunded | Refunded | Disputed)
    }

    fn every(check: impl Fn(State, Heard, State, &[Then])) {
        for state in State::iter() {
            for heard in HEARD {
                if let Some((after, then)) = next(state, heard) {
                    check(state, heard, after, then);
                }
            }
        }
    }

    #[test]
    fn every_ask_is_answered_now_or_by_what_is_on_its_way() {
        use State::*;
        let asks = [Heard::AskedToAuthorise, Heard::AskedToCapture, Heard::AskedToVoid];
        for state in State::iter() {
            for ask in asks {
                let (after, then) = next(state, ask).unwrap();
                let on_its_way = matches!(after, Authorising | Voiding | Capturing);
                assert!(on_its_way || !then.is_empty(), "{state:?} {ask:?}");
            }
        }
    }

    #[test]
    fn what_was_captured_is_booked_once_and_never_voided() {
        every(|state, heard, after, then| {
            let booked = then.contains(&Then::BookCapture);
            assert_eq!(booked, heard == Heard::Captured && !is_captured(state), "{state:?} {heard:?}");
            if is_captured(state) {
                assert_eq!(after, state);
                assert!(!then.contains(&Then::SendVoid));
            }
        });
    }

    #[test]
    fn nothing_is_captured_but_what_is_held_and_asked_for() {
        every(|state, heard, _, then| {
            if then.contains(&Then::SendCapture) {
                assert_eq!((state, heard), (State::Authorised, Heard::AskedToCapture));
            }
        });
    }

    #[test]
    fn a_late_hold_is_given_up() {
        use State::*;
        for state in [Voiding, Voided, Declined, Failed] {
            assert_eq!(next(state, Heard::Held), Some((Voiding, &[Then::SendVoid][..])), "{state:?}");
        }
    }

    #[test]
    fn hearing_the_same_twice_ends_where_hearing_it_once_does() {
        every(|state, heard, after, _| {
            if heard == Heard::Captured || matches!(after, State::Voiding) {
                return;
            }
            let again = next(after, heard).map_or(after, |(state, _)| state);
            let lets_go = matches!(heard, Heard::Held | Heard::ActionNeeded);
            assert!(again == after || lets_go, "{state:?} {heard:?}: {after:?}, then {again:?}");
        });
    }

    #[test]
    fn the_state_of_captured_money_follows_from_the_sums() {
        use State::*;
        for (refunded, disputes, state) in [
            (0, 0, Captured),
            (1, 0, PartlyRefunded),
            (100, 0, Refunded),
            (0, 1, Disputed),
            (100, 1, Disputed),
        ] {
            assert_eq!(settled(100, refunded, disputes), state);
        }
    }
}
