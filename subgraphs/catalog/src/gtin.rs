//! The numbers under bar codes: GTIN-8, -12, -13 and -14, and the ISBNs of books. All of them are kept as 13 digits.

/// Digits of a GTIN-13, the form that is kept. A book's ISBN-13 is one.
const DIGITS: usize = 13;
/// What an ISBN-10 begins with as an ISBN-13.
const BOOK_LAND: &str = "978";
/// Characters of a text that is looked at: a number with its separators is shorter.
const LENGTH_MAX: usize = 40;

/// Why a text is no number of one piece of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error(
        "must have 8, 12, 13 or 14 digits, or the 10 characters of an ISBN-10; hyphens and spaces are ignored"
    )]
    Length,
    #[error("has a wrong check digit: the last character would be {expected}")]
    CheckDigit { expected: char },
    #[error("is the number of a case: give the number on a single piece")]
    Case,
}

/// The 13 digits of a GTIN or an ISBN, whatever separates its groups.
pub fn read(text: &str) -> Result<String, Wrong> {
    if text.len() > LENGTH_MAX {
        return Err(Wrong::Length);
    }
    let plain: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let (body, last) = match plain.char_indices().next_back() {
        Some((at, last)) => (&plain[..at], last.to_ascii_uppercase()),
        None => return Err(Wrong::Length),
    };
    let isbn10 = body.len() == 9;
    let is_end = last.is_ascii_digit() || (isbn10 && last == 'X');
    if !is_end || !body.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Wrong::Length);
    }
    let expected = match body.len() {
        9 => isbn10_check(body),
        7 | 11 | 12 | 13 => gtin_check(body),
        _ => return Err(Wrong::Length),
    };
    if last != expected {
        return Err(Wrong::CheckDigit { expected });
    }
    match plain.len() {
        10 => {
            let body = format!("{BOOK_LAND}{body}");
            let check = gtin_check(&body);
            Ok(format!("{body}{check}"))
        }
        14 => plain.strip_prefix('0').map(str::to_owned).ok_or(Wrong::Case),
        _ => Ok(format!("{plain:0>DIGITS$}")),
    }
}

/// Spaces and the hyphens and dashes that publishers print.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The check digit after the digits of a GTIN: weights 3 and 1, beginning with 3 at the end.
fn gtin_check(body: &str) -> char {
    let weights = [3, 1].into_iter().cycle();
    let sum: u32 =
        body.bytes().rev().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    char::from_digit((10 - sum % 10) % 10, 10).expect("a remainder of ten is a digit")
}

/// The check character after nine digits of an ISBN-10: weights 10 down to 2, modulo 11.
fn isbn10_check(body: &str) -> char {
    let sum: u32 =
        body.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    char::from_digit((11 - sum % 11) % 11, 10).unwrap_or('X')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, Result<&str, Wrong>)]) {
        for (text, verdict) in cases {
            assert_eq!(read(text).as_deref(), verdict.as_ref().map(|digits| *digits), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_number_is_kept_as_thirteen_digits() {
        check(&[
            ("9780439023481", Ok("9780439023481")),
            ("978-0-439-02348-1", Ok("9780439023481")),
            (" 978 0 439\u{2011}02348 1 ", Ok("9780439023481")),
            ("0439023483", Ok("9780439023481")),
            ("0-439-02348-3", Ok("9780439023481")),
            ("080442957X", Ok("9780804429573")),
            ("0-8044-2957-x", Ok("9780804429573")),
            ("4006381333931", Ok("4006381333931")),
            ("04006381333931", Ok("4006381333931")),
            ("036000291452", Ok("0036000291452")),
            ("96385074", Ok("0000096385074")),
        ]);
    }

    #[test]
    fn a_wrong_check_digit_is_told_with_the_right_one() {
        check(&[
            ("9780439023482", Err(Wrong::CheckDigit { expected: '1' })),
            ("0439023484", Err(Wrong::CheckDigit { expected: '3' })),
            ("0804429570", Err(Wrong::CheckDigit { expected: 'X' })),
            ("043902348X", Err(Wrong::CheckDigit { expected: '3' })),
            ("036000291453", Err(Wrong::CheckDigit { expected: '2' })),
            ("96385075", Err(Wrong::CheckDigit { expected: '4' })),
        ]);
        assert_eq!(
            read("9780439023482").unwrap_err().to_string(),
            "has a wrong check digit: the last character would be 1"
        );
    }

    #[test]
    fn a_case_and_a_text_are_no_piece() {
        check(&[
            ("14006381333938", Err(Wrong::Case)),
            ("978043902348X", Err(Wrong::Length)),
            ("97804390234811", Err(Wrong::CheckDigit { expected: '8' })),
            ("978043902348110", Err(Wrong::Length)),
            ("９７８０４３９０２３４８１", Err(Wrong::Length)),
            ("isbn", Err(Wrong::Length)),
            ("X", Err(Wrong::Length)),
            ("", Err(Wrong::Length)),
            ("--- ---", Err(Wrong::Length)),
        ]);
        assert_eq!(read(&"1".repeat(100_000)), Err(Wrong::Length));
    }
}
