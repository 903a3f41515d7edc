//! Texts that people type. What may be in one is the same wherever somebody names a person, a shop, a product or a place.

use std::ops::RangeInclusive;

/// What is wrong with a text: a lower-case fragment, safe to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("must have {least} to {most} characters")]
    Length { least: usize, most: usize },
    #[error("must not have control characters, line breaks or marks that hide or turn text")]
    Hidden,
    #[error("must have characters that can be seen")]
    Invisible,
}

/// `text` without space around it, when it is one line of so many characters that says something.
pub fn line(text: &str, chars: RangeInclusive<usize>) -> Result<&str, BadText> {
    let text = text.trim();
    if !chars.contains(&text.chars().count()) {
        return Err(BadText::Length { least: *chars.start(), most: *chars.end() });
    }
    if hides(text, |_| false) {
        return Err(BadText::Hidden);
    }
    if !text.is_empty() && text.chars().all(is_invisible) {
        return Err(BadText::Invisible);
    }
    Ok(text)
}

/// `text`, when it has at most `chars_max` characters; line breaks and tabs may be among them.
pub fn paragraphs(text: &str, chars_max: usize) -> Result<&str, BadText> {
    if text.chars().count() > chars_max {
        return Err(BadText::Length { least: 0, most: chars_max });
    }
    match hides(text, |c| matches!(c, '\n' | '\r' | '\t')) {
        true => Err(BadText::Hidden),
        false => Ok(text),
    }
}

/// Whether a text shows something else than it holds.
fn hides(text: &str, may: impl Fn(char) -> bool) -> bool {
    let mut before = None;
    text.chars().any(|c| {
        let in_a_flag = is_tag(c) && before.is_some_and(|before| before == BLACK_FLAG || is_tag(before));
        before = Some(c);
        is_hiding(c) && !may(c) && !in_a_flag
    })
}

/// After it, tags spell the flag of a region: they are the only ones that anybody sees.
const BLACK_FLAG: char = '\u{1f3f4}';

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Control characters, separators of lines and paragraphs, what turns the direction of the text around it, and what has no
/// width and no meaning in any script. Joiners (U+200C, U+200D) have one: Persian and emoji need them.
fn is_hiding(c: char) -> bool {
    c.is_control()
        || is_tag(c)
        || matches!(c,
            '\u{180e}' | '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether nobody sees it where it stands alone: spaces of every width, joiners, marks of direction, fillers, variation
/// selectors.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || is_hiding(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200c}'..='\u{200f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_in_any_script() {
        for text in [
            "Ada",
            " 山田 太郎 ",
            "Ζωή",
            "👩‍🚀 Bookworm",
            "عائشة",
            "می‌خواهم",
            "❤️",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
        ] {
            assert_eq!(line(text, 1..=100), Ok(text.trim()));
        }
    }

    #[test]
    fn a_line_counts_characters_not_bytes() {
        assert!(line(&"é".repeat(100), 1..=100).is_ok());
        let refused = line(&"é".repeat(101), 1..=100).unwrap_err();
        assert_eq!(refused.to_string(), "must have 1 to 100 characters");
        assert_eq!(line("   ", 1..=100), Err(BadText::Length { least: 1, most: 100 }));
        assert_eq!(line("   ", 0..=100), Ok(""));
    }

    #[test]
    fn what_hides_or_turns_text_is_refused() {
        for hidden in [
            "\0",
            "\n",
            "\u{7f}",
            "\u{85}",
            "\u{202e}",
            "\u{2067}",
            "\u{2028}",
            "\u{200b}",
            "\u{feff}",
            "\u{e0041}",
        ] {
            assert_eq!(line(&format!("a{hidden}b"), 1..=100), Err(BadText::Hidden), "{hidden:?}");
        }
    }

    #[test]
    fn a_text_that_nobody_sees_is_refused() {
        for text in
            ["\u{3164}", "\u{200d}", "\u{ad}\u{ad}", "\u{2800} \u{2800}", "\u{115f}", "\u{fe0f}", "\u{200e}"]
        {
            assert_eq!(line(text, 1..=100), Err(BadText::Invisible), "{text:?}");
        }
    }

    #[test]
    fn paragraphs_may_break_lines_and_be_empty() {
        assert_eq!(paragraphs("a\r\n\tb", 10), Ok("a\r\n\tb"));
        assert_eq!(paragraphs("", 10), Ok(""));
        assert_eq!(paragraphs("a\u{202e}b", 10), Err(BadText::Hidden));
        assert_eq!(paragraphs("abc", 2), Err(BadText::Length { least: 0, most: 2 }));
    }
}
