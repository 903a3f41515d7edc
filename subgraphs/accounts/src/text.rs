//! Texts that people type, as fields of an input: names, codes, numbers.

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

/// [`contract::text::line`] in a field of an input.
pub fn line(field: &'static str, text: &str, chars: RangeInclusive<usize>) -> Result<String, Invalid> {
    let line = contract::text::line(text, chars).map_err(|why| Invalid::new(field, why.to_string()))?;
    Ok(line.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

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
