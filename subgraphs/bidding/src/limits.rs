//! What inputs may hold.

use std::time::Duration;

/// The tick of a market for which nobody chose one, in minor units.
pub const TICK_MINOR_DEFAULT: i64 = 100;
/// The highest price of a market for which nobody chose one, in minor units.
pub const PRICE_MAX_MINOR_DEFAULT: i64 = 100_000_000;
/// The highest price that a market can have, in minor units.
pub const PRICE_MAX_MINOR: i64 = 1_000_000_000_000;
/// Pieces of one order.
pub const QUANTITY_MAX: i32 = 1_000;
/// How long an order may live, in days.
pub const DAYS: [i32; 5] = [1, 3, 7, 14, 30];
/// How long it lives when nobody says.
pub const DAYS_DEFAULT: i32 = 30;
/// Characters of a payment method's token.
pub const METHOD_LENGTH_MAX: usize = 255;
/// Characters of an idempotency key.
pub const KEY_LENGTH_MAX: usize = 255;
/// How long an operation waits for a shop or a variant that was made a moment ago: its event is still on its way.
pub const MIRROR_WAIT: Duration = Duration::from_secs(1);
/// How often it looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Characters of a reason.
pub const LINE_LENGTH_MAX: usize = 200;

/// Whether `text` has 1 to `length_max` characters, not all blank, none of them a control character.
pub fn is_line_of_text(text: &str, length_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= length_max && !text.chars().any(char::is_control)
}
