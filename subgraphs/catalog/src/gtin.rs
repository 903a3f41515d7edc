//! GTIN-13, the number under the bar code. A book's ISBN-13 is one.

/// Why a text is no GTIN-13.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("must have 13 digits")]
    Length,
    #[error("has a wrong check digit")]
    CheckDigit,
}

/// Whether `text` is a GTIN-13: 13 digits, of which the last follows from the others.
pub(crate) fn check(text: &str) -> Result<(), Wrong> {
    if text.len() != 13 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Wrong::Length);
    }
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = text.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    if sum.is_multiple_of(10) { Ok(()) } else { Err(Wrong::CheckDigit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gtin_has_thirteen_digits_of_which_the_last_is_a_check() {
        for (text, verdict) in [
            ("9780439023481", Ok(())),
            ("4006381333931", Ok(())),
            ("9780439023482", Err(Wrong::CheckDigit)),
            ("0439023481", Err(Wrong::Length)),
            ("97804390234811", Err(Wrong::Length)),
            ("978043902348X", Err(Wrong::Length)),
            ("９７８０４", Err(Wrong::Length)),
            ("", Err(Wrong::Length)),
        ] {
            assert_eq!(check(text), verdict, "{text}");
        }
    }
}
