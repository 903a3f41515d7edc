//! Decimal numbers of attributes: whole millionths, so that they compare alike everywhere.

use std::fmt;
use std::str::FromStr;

/// Digits after the point.
const DIGITS: usize = 6;
/// Millionths of one.
const ONE: i64 = 1_000_000;
/// The largest number is just below this, on either side of zero.
const WHOLE_MAX: i64 = 1_000_000_000_000;

/// A number in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    pub micro: i64,
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal number below 1000000000000 with at most 6 digits after the point")]
pub struct NotANumber;

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.trim_end_matches('0').len() > DIGITS {
            return Err(NotANumber);
        }
        let whole: i64 = whole.parse().ok().filter(|whole| *whole < WHOLE_MAX).ok_or(NotANumber)?;
        let fraction: i64 = format!("{:0<DIGITS$.DIGITS$}", fraction).parse().map_err(|_| NotANumber)?;
        Ok(Self { micro: sign * (whole * ONE + fraction) })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micro < 0 { "-" } else { "" };
        let micro = self.micro.unsigned_abs();
        let (whole, fraction) = (micro / ONE as u64, micro % ONE as u64);
        match fraction {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{}", format!("{fraction:06}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_and_shows_exactly() {
        for (text, micro, shown) in [
            ("0", 0, "0"),
            ("9.5", 9_500_000, "9.5"),
            ("-0.000001", -1, "-0.000001"),
            ("007.10", 7_100_000, "7.1"),
            ("1.00000000", 1_000_000, "1"),
            ("999999999999.999999", 999_999_999_999_999_999, "999999999999.999999"),
        ] {
            assert_eq!(text.parse(), Ok(Number { micro }), "{text}");
            assert_eq!(Number { micro }.to_string(), shown);
        }
    }

    #[test]
    fn what_would_lose_digits_is_no_number() {
        for text in
            ["", "-", ".5", "5.", "1e3", "NaN", "+1", "0.0000001", "1000000000000", "١", "--1", "1.2.3"]
        {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
    }
}
