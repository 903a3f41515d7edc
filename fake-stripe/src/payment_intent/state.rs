//! How far a payment is: the one table of its states.

/// Stripe's statuses of a card payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Succeeded,
    Canceled,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was given a payment method.
    MethodGiven,
    /// The bank wants the buyer to authenticate.
    ActionNeeded,
    /// The bank holds the money, to be captured by hand.
    Held,
    /// The bank gave the money.
    Paid,
    /// The bank said no, or the buyer could not authenticate.
    Declined,
    Captured,
    /// It was cancelled, or its hold ended.
    Cancelled,
}

impl Status {
    /// As Stripe writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Nobody has charged the card yet: it may be confirmed, and its amount changed.
    pub fn is_open(self) -> bool {
        self.next(Heard::Paid).is_some()
    }

    /// The next status. `None`: not a move from here.
    pub fn next(self, heard: Heard) -> Option<Self> {
        use Heard::*;
        use Status::*;
        Some(match (self, heard) {
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction, MethodGiven) => {
                RequiresConfirmation
            }
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction, ActionNeeded) => RequiresAction,
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction, Held) => RequiresCapture,
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction, Paid) => Succeeded,
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction, Declined) => {
                RequiresPaymentMethod
            }
            (RequiresCapture, Captured) => Succeeded,
            (RequiresPaymentMethod | RequiresConfirmation | RequiresAction | RequiresCapture, Cancelled) => {
                Canceled
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Heard::*;
    use super::Status::*;
    use super::*;

    #[test]
    fn nothing_moves_what_has_ended() {
        for status in [Succeeded, Canceled] {
            for heard in [MethodGiven, ActionNeeded, Held, Paid, Declined, Captured, Cancelled] {
                assert_eq!(status.next(heard), None, "{status:?} {heard:?}");
            }
        }
    }

    #[test]
    fn a_hold_is_captured_or_cancelled_and_nothing_else() {
        let moves = [MethodGiven, ActionNeeded, Held, Paid, Declined, Captured, Cancelled]
            .map(|heard| RequiresCapture.next(heard));
        assert_eq!(moves, [None, None, None, None, None, Some(Succeeded), Some(Canceled)]);
    }

    #[test]
    fn only_a_hold_can_be_captured() {
        let all = [
            RequiresPaymentMethod,
            RequiresConfirmation,
            RequiresAction,
            RequiresCapture,
            Succeeded,
            Canceled,
        ];
        let can: Vec<Status> = all.into_iter().filter(|status| status.next(Captured).is_some()).collect();
        assert_eq!(can, [RequiresCapture]);
    }
}
