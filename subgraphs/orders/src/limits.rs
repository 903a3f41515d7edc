//! What inputs may hold.

use std::time::Duration;

/// Different offers in a cart.
pub const LINES_MAX: usize = 50;
/// Pieces of one offer in a cart.
pub const QUANTITY_MAX: i64 = 1_000;
/// Characters of a promotion's code.
pub const CODE_LENGTH_MAX: usize = 40;
/// Characters of a name.
pub const NAME_LENGTH_MAX: usize = 100;
/// Characters of a line of an address, a reason or a reference.
pub const LINE_LENGTH_MAX: usize = 200;
/// Characters of an e-mail address.
pub const EMAIL_LENGTH_MAX: usize = 254;
/// Characters of a payment method's token.
pub const METHOD_LENGTH_MAX: usize = 255;
/// Shipping rates of one seller.
pub const RATES_MAX: usize = 300;
/// The largest amount of a rate or a promotion, in minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// Grams of one piece.
pub const GRAMS_MAX: i64 = 10_000_000;
/// How long a checkout waits for its end when the client does not say, in milliseconds.
pub const WAIT_MS_DEFAULT: i32 = 2_000;
/// How long a checkout waits for its end at most, in milliseconds.
pub const WAIT_MS_MAX: i32 = 10_000;
/// How long an operation waits for an offer or a shop that was made a moment ago: its event is still on its way.
pub const MIRROR_WAIT: Duration = Duration::from_secs(1);

/// Whether `text` has 1 to `length_max` characters, not all blank, none of them a control character.
pub fn is_line_of_text(text: &str, length_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= length_max && !text.chars().any(char::is_control)
}

/// Whether `text` looks like a country of ISO 3166-1 alpha-2.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
