//! How a text becomes words: the same way for what is indexed and for what is asked.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words that are written as one, at most.
const RUN_MAX: usize = 8;

/// A word at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Counts the words of the text from 0.
    pub(super) place: usize,
    /// Nothing but a hyphen or the like is between the word before it and this one.
    joined: bool,
    /// One sign of a script that does not put spaces between words.
    pub(super) sign: bool,
}

/// A text without what people leave out when they type: case, accents, ligatures, apostrophes, invisible characters.
pub(crate) fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c) && !is_silent(*c));
    let mut folded = String::with_capacity(text.len());
    for c in plain.flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            '&' => folded.push_str(" and "),
            _ if is_combining_mark(c) => {}
            _ => folded.push(c),
        }
    }
    folded
}

/// Apostrophes, and characters that have no shape of their own.
fn is_silent(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | '´' | '\u{ad}' | '\u{61c}' | '\u{feff}')
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{2069}').contains(&c)
}

/// Whether `c` is written without spaces around words: Chinese characters and Japanese syllables.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The words of a folded text, in order. Signs are words of their own; `10.5` is one word.
pub(crate) fn words(folded: &str) -> Vec<Word> {
    let mut words: Vec<Word> = vec![];
    let (mut open, mut spaced) = (false, true);
    let mut rest = folded.chars().peekable();
    let mut last = ' ';
    while let Some(c) = rest.next() {
        let between_digits =
            c == '.' && last.is_ascii_digit() && rest.peek().is_some_and(char::is_ascii_digit);
        last = c;
        if !c.is_alphanumeric() && !between_digits {
            open = false;
            spaced |= c.is_whitespace();
            continue;
        }
        let sign = is_sign(c);
        match words.last_mut().filter(|_| open && !sign) {
            Some(word) => word.text.push(c),
            None => {
                words.push(Word { text: c.into(), place: words.len(), joined: !spaced, sign });
                spaced = false;
            }
        }
        open = !sign;
    }
    words
}

/// The words of a text as they are indexed: with other ways to write them, at the same places. `Spider-Man` is found as
/// `spiderman` too, `J.K.` as `jk`, `01` as `1`.
pub(super) fn indexed(text: &str) -> Vec<Word> {
    let words = words(&fold(text));
    let mut all = words.clone();
    for (at, word) in words.iter().enumerate() {
        let also = |text: String| Word { text, ..word.clone() };
        let compound = run(&words[at..], |next| next.joined && !next.sign);
        if !word.joined && !word.sign && compound.len() > 1 {
            all.push(also(text_of(compound)));
        }
        let starts = at == 0 || !is_initial(&words[at - 1]);
        let initials = run(&words[at..], is_initial);
        if starts && is_initial(word) && initials.len() > 1 {
            all.push(also(text_of(initials)));
        }
        let plain = word.text.trim_start_matches('0');
        if plain.len() < word.text.len() && !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit()) {
            all.push(also(plain.into()));
        }
    }
    all.sort_by(|a, b| (a.place, &a.text).cmp(&(b.place, &b.text)));
    all.dedup_by(|a, b| (a.place, &a.text) == (b.place, &b.text));
    all
}

/// The first word and those after it for which `goes_on`.
fn run(words: &[Word], goes_on: impl Fn(&Word) -> bool) -> &[Word] {
    let more = words.iter().take(RUN_MAX).skip(1).take_while(|word| goes_on(word)).count();
    &words[..words.len().min(1 + more)]
}

fn is_initial(word: &Word) -> bool {
    !word.sign && word.text.len() == 1 && word.text.bytes().all(|b| b.is_ascii_alphabetic())
}

fn text_of(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect()
}

/// Words with one space between them: how whole titles are compared.
pub(super) fn line(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Only the letters and digits of a text: how numbers under bar codes and stock keeping units are compared.
pub(super) fn compact(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The number under the bar code that a compact text means: a GTIN or an ISBN of any length.
pub(super) fn gtin(compact: &str) -> Option<String> {
    crate::gtin::read(compact).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: &str) {
        assert_eq!(line(&indexed(text)), words, "{text}");
    }

    #[test]
    fn what_people_leave_out_does_not_matter() {
        check("LES MISÉRABLES", "les miserables");
        check("Straße Œuvre Ærø Łódź", "strasse oeuvre aero lodz");
        check("Women’s O'Brien", "womens obrien");
        check("\u{202e}a\u{200b}b\u{feff}", "ab");
        check("Angels & Demons", "angels and demons");
        check("ｆｕｌｌ　ｗｉｄｔｈ", "full width");
        check("أحمد", "احمد");
    }

    #[test]
    fn no_script_vanishes() {
        check("美少女 1巻", "美 少 女 1 巻");
        check("ナルト", "ナ ル ト");
        check("신경숙", &"신경숙".nfkd().collect::<String>());
        check("Горе от ума", "горе от ума");
        check("🦊 ☕", "");
    }

    #[test]
    fn other_ways_to_write_a_word_are_found() {
        check("Spider-Man", "spider spiderman man");
        check("J.K. Rowling", "j jk k rowling");
        check("Catch-22", "catch catch22 22");
        check("Vol. 01", "vol 01 1");
        check("US 10.5", "us 10.5");
        check("1.2", "1.2");
        check("end. 1", "end 1");
    }

    #[test]
    fn numbers_under_bar_codes_are_known_in_every_form() {
        for (text, number) in [
            ("978-0-439-02348-1", Some("9780439023481")),
            ("0439023483", Some("9780439023481")),
            ("0-8044-2957-X", Some("9780804429573")),
            ("0439023484", None),
            ("036000291452", Some("0036000291452")),
            ("09780439023481", Some("9780439023481")),
            ("1984", None),
            ("978043902348é", None),
            ("éééééééééé", None),
        ] {
            assert_eq!(gtin(&compact(text)).as_deref(), number, "{text}");
        }
    }
}
