//! Why a command changed nothing.

use crate::{Price, Quantity, Status, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    UnknownMarket,
    /// Rules that no price can meet, or a tick or price below 1.
    BadRules,
    /// A number of the limits is negative.
    BadLimits,
    PriceOffTick {
        tick: Price,
    },
    PriceOutOfRange {
        price_min: Price,
        price_max: Price,
    },
    /// A quantity of 0.
    QuantityZero,
    /// Price times quantity does not fit in 63 bits.
    TooLarge,
    /// `expires_at` is not after now, or after `latest`.
    ExpiryOutOfRange {
        latest: Timestamp,
    },
    /// Nothing can be matched at once at the price that was asked for; the best that can be had now.
    PriceMoved {
        best: Option<Price>,
    },
    TooManyInMarket {
        max: u32,
    },
    TooMany {
        max: u32,
    },
    /// The account pauses its selling.
    SellingPaused,
    /// The order does not rest; how it ended, `None`: there is no such order of this account, or it was long ago.
    NotActive {
        status: Option<Status>,
    },
    /// The new total is not above what is filled already.
    NotAboveFilled {
        filled: Quantity,
    },
    /// The key came before with another command.
    IdempotencyConflict,
    /// No match with this number that could still fail.
    UnknownTrade,
    AlreadyFailed,
    /// This state holds as many orders as it can number.
    Full,
    /// It would leave more pieces, or a later end, than the order has now.
    NotLess,
}
