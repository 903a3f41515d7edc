//! Texts that people type: one line, of a length, without characters that cannot be seen or kept.

use std::ops::RangeInclusive;

/// A value that an operation does not take: which field of its input, and why. Safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct Invalid {
    pub field: &'static str,
    pub message: String,
}

impl Invalid {
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// `text` without space around it, when it is one line of `chars` characters.
pub fn line(field: &'static str, text: &str, chars: RangeInclusive<usize>) -> Result<String, Invalid> {
    let text = text.trim();
    if !chars.contains(&text.chars().count()) {
        let (least, most) = chars.into_inner();
        return Err(Invalid::new(field, format!("must have {least} to {most} characters")));
    }
    if text.chars().any(is_unseen) {
        return Err(Invalid::new(field, "must not have control characters"));
    }
    Ok(text.to_owned())
}

/// [`line`] for what may be missing; a blank text counts as missing.
pub fn optional_line(
    field: &'static str,
    text: Option<&str>,
    chars_max: usize,
) -> Result<Option<String>, Invalid> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => line(field, text, 1..=chars_max).map(Some),
    }
}

/// A language tag in the manner of BCP 47: `en`, `de-AT`, `zh-Hant-TW`.
pub fn language_tag(field: &'static str, text: &str) -> Result<String, Invalid> {
    let mut subtags = text.split('-');
    let language = subtags
        .next()
        .is_some_and(|tag| (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase()));
    let rest =
        subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
    if text.len() > 35 || !language || !rest {
        return Err(Invalid::new(field, "must be a language tag, such as `en` or `de-AT`"));
    }
    Ok(text.to_owned())
}

/// A telephone number in international form: `+` and 6 to 15 digits; spaces, dots, hyphens and brackets are dropped.
pub fn phone(field: &'static str, text: &str) -> Result<String, Invalid> {
    let number: String = text.chars().filter(|c| !" .-()/".contains(*c)).collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if !(6..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Invalid::new(field, "must be a number in international form, such as +49 30 123456"));
    }
    Ok(number)
}

/// A country by its two letters of ISO 3166-1, in any case.
pub fn country(field: &'static str, text: &str) -> Result<String, Invalid> {
    let code = text.trim().to_ascii_uppercase();
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Invalid::new(field, "must be a country code of two letters, such as DE"));
    }
    Ok(code)
}

/// Control characters, separators of lines, and marks that turn the direction of the text around them.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_in_any_script() {
        for name in ["Ada", " 山田 太郎 ", "Ζωή", "👩‍🚀 Bookworm", "عائشة"] {
            assert_eq!(line("name", name, 1..=100).unwrap(), name.trim());
        }
    }

    #[test]
    fn a_line_counts_characters_not_bytes() {
        assert!(line("name", &"é".repeat(100), 1..=100).is_ok());
        let refused = line("name", &"é".repeat(101), 1..=100).unwrap_err();
        assert_eq!(refused.to_string(), "name must have 1 to 100 characters");
        assert!(line("name", "   ", 1..=100).is_err());
    }

    #[test]
    fn unseen_characters_are_refused() {
        for text in ["a\0b", "a\nb", "a\u{7f}", "a\u{202e}b", "a\u{2028}b", "a\u{85}b"] {
            let refused = line("name", text, 1..=100).unwrap_err();
            assert_eq!(refused.to_string(), "name must not have control characters", "{text:?}");
        }
    }

    #[test]
    fn codes_have_their_forms() {
        assert!(["en", "de-AT", "zh-Hant-TW"].iter().all(|tag| language_tag("l", tag).is_ok()));
        assert!(
            ["", "e", "EN", "en-", "en_US", "en-\0", "x-y"].iter().all(|tag| language_tag("l", tag).is_err())
        );
        assert_eq!(phone("p", "+49 (30) 123-456").unwrap(), "+4930123456");
        assert!(
            ["", "030 123456", "+", "+12345", "+1234567890123456", "+49\u{0}123456"]
                .iter()
                .all(|number| phone("p", number).is_err())
        );
        assert_eq!(country("c", "de").unwrap(), "DE");
        assert!(["", "D", "DEU", "D1", "ß"].iter().all(|code| country("c", code).is_err()));
    }
}
