//! What inputs may hold.

use std::time::Duration;

use contract::text::{BadText, line};

/// Pieces in one line of an operation.
pub const QUANTITY_MAX: i64 = 1_000_000;
/// Pieces of one offer over all its locations.
pub const ON_HAND_MAX: i64 = 1_000_000_000;
/// Lines of a reservation or a shipment.
pub const LINES_MAX: usize = 100;
/// Offers or variants that one subscription watches.
pub const WATCHED_MAX: usize = 100;
/// Stock feeds of one shop.
pub const FEEDS_MAX: u64 = 50;
/// Webhooks of one shop.
pub const WEBHOOKS_MAX: u64 = 10;
/// Characters of a reason or a reference.
pub const REASON_LENGTH_MAX: usize = 500;
/// Characters of a location's name.
pub const NAME_LENGTH_MAX: usize = 100;
/// The longest life of a reservation that a seller or an admin makes, in seconds: a day.
pub const TTL_SECONDS_MAX: i64 = 86_400;
/// How long a mutation waits for an offer or a shop that was made a moment ago: its event is still on its way.
pub const MIRROR_WAIT: Duration = Duration::from_secs(1);

/// Whether a line may name so many pieces: 1 to [`QUANTITY_MAX`].
pub fn is_quantity(quantity: i64) -> bool {
    (1..=QUANTITY_MAX).contains(&quantity)
}

/// A reason or a reference as it is kept.
pub fn reason(text: &str) -> Result<String, BadText> {
    line(text, 1..=REASON_LENGTH_MAX).map(str::to_owned)
}

/// [`reason`] for a text that may be missing.
pub fn optional_reason(text: Option<&str>) -> Result<Option<String>, BadText> {
    text.map(reason).transpose()
}

/// A location's name as it is kept.
pub fn name(text: &str) -> Result<String, BadText> {
    line(text, 1..=NAME_LENGTH_MAX).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_one_to_a_million() {
        for (quantity, fits) in [(i64::MIN, false), (-1, false), (0, false), (1, true), (1_000_000, true)] {
            assert_eq!(is_quantity(quantity), fits, "{quantity}");
        }
        assert!(!is_quantity(1_000_001) && !is_quantity(i64::MAX));
    }
}
