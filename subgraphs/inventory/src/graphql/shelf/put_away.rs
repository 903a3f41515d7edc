//! Declares what comes of putting pieces on a shelf: the payload and the user error of one mutation.

macro_rules! put_away {
    ($payload:ident, $(#[$about:meta])* $error:ident ($code:ident), $refusal:ident) => {
        /// What came of it.
        #[derive(async_graphql::SimpleObject)]
        pub struct $payload {
            /// The stock afterwards; null when something is wrong.
            stock: Option<crate::graphql::stock::StockLevel>,
            /// What is wrong; empty when it was done.
            user_errors: Vec<$error>,
        }

        crate::graphql::user_error::user_error! {
            $(#[$about])*
            $error ($code) {
                /// There is no such offer of yours.
                OfferNotFound,
                /// The shop that makes the offer has no such location.
                LocationNotFound,
                /// The location takes nothing in.
                LocationClosed,
                /// The quantity is not 1 to 1,000,000.
                QuantityOutOfRange,
                /// The reason is too short, too long, or has characters that cannot be seen.
                InvalidInput,
                /// An offer has at most 1,000,000,000 pieces.
                TooMuch,
                /// The key was used with another request.
                IdempotencyConflict,
            }
        }

        impl From<Result<crate::stock::Level, $refusal>> for $payload {
            fn from(done: Result<crate::stock::Level, $refusal>) -> Self {
                match done {
                    Ok(level) => Self { stock: Some(level.into()), user_errors: vec![] },
                    Err(refusal) => Self { stock: None, user_errors: vec![refusal.into()] },
                }
            }
        }

        impl From<$refusal> for $error {
            fn from(refusal: $refusal) -> Self {
                use crate::shelf::NoShelf;
                let (code, field) = match refusal {
                    $refusal::NoShelf(NoShelf::OfferNotFound) => ($code::OfferNotFound, "offerId"),
                    $refusal::NoShelf(NoShelf::LocationNotFound) => ($code::LocationNotFound, "locationId"),
                    $refusal::NoShelf(NoShelf::LocationClosed) => ($code::LocationClosed, "locationId"),
                    $refusal::QuantityOutOfRange => ($code::QuantityOutOfRange, "quantity"),
                    $refusal::ReasonInvalid(_) => ($code::InvalidInput, "reason"),
                    $refusal::TooMuch => ($code::TooMuch, "quantity"),
                    $refusal::IdempotencyConflict => ($code::IdempotencyConflict, "idempotencyKey"),
                };
                Self::new(code, &["input", field], refusal)
            }
        }
    };
}
pub(super) use put_away;
