//! What somebody typed, as a query of the engine. It is text: there are no operators, and nothing of it can fail.
//!
//! Scores are whole numbers that follow from the query and the product alone, not from how often words occur elsewhere: so a
//! cursor stays good while other products change.

use serde::{Deserialize, Serialize};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::document::{STARTS_MAX, without_article};
use super::fields::Fields;
use super::near::Typed;
use super::text::{self, Word};

/// Characters of a query that count; what follows is left out.
const QUERY_LENGTH_MAX: usize = 512;
/// Words of a query that count.
const UNITS_MAX: usize = 24;
/// Letters of a word that may have a typo; others are codes rather than words.
const TYPO_LENGTHS: std::ops::RangeInclusive<usize> = 3..=40;
/// From this length on, two typos.
const TWO_TYPOS: usize = 8;

/// What a word counts, by where it is and how it was found: whole numbers, so that sums are exact. The popularity of a product counts up to about 180.
const TITLE: f32 = 100.0;
const NAMES: f32 = 98.0;
const MORE: f32 = 40.0;
const CODE: f32 = 300.0;
const STARTED: f32 = 0.6;
const MISTYPED: f32 = 0.5;
const FILLER: f32 = 10.0;
/// All words in a row in the title; the whole title.
const IN_A_ROW: f32 = 60.0;
const WHOLE: f32 = 400.0;

/// Words that people add or leave out. They count when they are there, and are not missed.
const FILLERS: [&str; 28] = [
    "a", "an", "and", "by", "de", "der", "die", "das", "el", "for", "from", "in", "la", "le", "les", "no",
    "nr", "of", "on", "the", "to", "und", "with", "book", "books", "vol", "volume", "part",
];

/// How much of what was typed a product must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Care {
    /// Every word, the last one perhaps unfinished.
    #[default]
    Exact,
    /// Every word, perhaps with typos in those whose bits are set.
    Typos(u32),
    /// Most words, perhaps with typos.
    Most,
}

impl Care {
    /// Every word, perhaps with typos.
    pub(super) const TYPOS: Self = Self::Typos(u32::MAX);

    /// What to try when nothing is found: typos in the words that nobody has, as bits, then in any word.
    pub(super) fn more_lenient<E>(self, unknown: impl FnOnce() -> Result<u32, E>) -> Result<Option<Self>, E> {
        Ok(match self {
            Self::Exact => match unknown()? {
                0 => Some(Self::TYPOS),
                unknown => Some(Self::Typos(unknown)),
            },
            Self::TYPOS => Some(Self::Most),
            Self::Typos(_) => Some(Self::TYPOS),
            Self::Most => None,
        })
    }

    /// Whether the word with this number may have typos.
    fn allows_typos(self, word: usize) -> bool {
        match self {
            Self::Exact => false,
            Self::Typos(words) => words >> word & 1 == 1,
            Self::Most => true,
        }
    }
}

/// What somebody typed.
#[derive(Debug)]
pub(super) struct Ask {
    units: Vec<Unit>,
    words: Vec<Word>,
}

/// What stood between two spaces.
#[derive(Clone, Debug)]
struct Unit {
    words: Vec<Typed>,
    /// As the number of a variant: letters and digits only, a GTIN in its usual form.
    code: String,
    /// Signs without spaces between them: found in a row.
    signs: bool,
    /// Perhaps not typed to its end.
    open: bool,
}

impl Ask {
    pub(super) fn read(text: &str) -> Self {
        let folded = text::fold(&text.chars().take(QUERY_LENGTH_MAX).collect::<String>());
        let is_code = |c: char| c.is_ascii_digit() || c == 'x' || c == '-' || c.is_whitespace();
        let whole = folded.chars().all(is_code).then(|| text::gtin(&text::compact(&folded))).flatten();
        let mut units: Vec<Unit> = match whole {
            Some(code) => vec![Unit { words: vec![Typed::new(&code)], code, signs: false, open: false }],
            None => folded.split_whitespace().flat_map(units).collect(),
        };
        units.truncate(UNITS_MAX);
        if let Some(last) = units.last_mut() {
            last.open = !folded.ends_with(char::is_whitespace);
        }
        Self { units, words: text::words(&folded) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The words that a product must have.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &Typed> {
        self.required().flat_map(|unit| &unit.words)
    }

    /// Those that a product must have for which a part is not `known`, as bits.
    pub(super) fn unknown<E>(&self, mut known: impl FnMut(&str) -> Result<bool, E>) -> Result<u32, E> {
        let mut bits = 0;
        for (number, unit) in self.required().enumerate() {
            for word in &unit.words {
                bits |= u32::from(!known(word.text())?) << number;
            }
        }
        Ok(bits)
    }

    /// All words in their order, and whether a product must have each.
    pub(super) fn typed(&self) -> impl Iterator<Item = (&str, bool)> {
        let only_fillers = self.only_fillers();
        self.units.iter().flat_map(move |unit| {
            let wanted = only_fillers || !unit.is_filler();
            unit.words.iter().map(move |word| (word.text(), wanted))
        })
    }

    /// Whether the last word that a product must have is perhaps not typed to its end.
    pub(super) fn is_open(&self) -> bool {
        self.units.last().is_some_and(|last| last.open && (self.only_fillers() || !last.is_filler()))
    }

    fn only_fillers(&self) -> bool {
        self.units.iter().all(Unit::is_filler)
    }

    fn required(&self) -> impl Iterator<Item = &Unit> {
        let only_fillers = self.only_fillers();
        self.units.iter().filter(move |unit| only_fillers || !unit.is_filler())
    }

    /// The query that finds it.
    pub(super) fn query(&self, fields: &Fields, care: Care) -> Box<dyn Query> {
        if self.units.is_empty() {
            return Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0));
        }
        let required = self.required().enumerate();
        let required: Vec<Box<dyn Query>> =
            required.map(|(number, unit)| unit.query(fields, care.allows_typos(number))).collect();
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = match care {
            Care::Exact | Care::Typos(_) => required.into_iter().map(|query| (Occur::Must, query)).collect(),
            Care::Most => {
                let enough = most(required.len());
                let some = BooleanQuery::union_with_minimum_required_clauses(required, enough);
                vec![(Occur::Must, Box::new(some))]
            }
        };
        clauses.extend(self.favours(fields).into_iter().map(|query| (Occur::Should, query)));
        Box::new(BooleanQuery::new(clauses))
    }

    /// The query that finds what may have this title: most words, perhaps with typos, or two of them written as one.
    pub(super) fn alike(&self, fields: &Fields) -> Box<dyn Query> {
        let words: Vec<&str> = self.wanted().map(Typed::text).collect();
        let pairs = words.windows(2).map(|pair| Typed::new(&pair.concat()));
        let pairs = pairs.map(|pair| best(word_query(fields, &pair, true, false)));
        let ways = self.required().map(|unit| unit.query(fields, true)).chain(pairs);
        let some = BooleanQuery::union_with_minimum_required_clauses(ways.collect(), most(words.len()));
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(some))];
        clauses.extend(self.favours(fields).into_iter().map(|query| (Occur::Should, query)));
        Box::new(BooleanQuery::new(clauses))
    }

    /// What puts a product before others that have the words as well.
    fn favours(&self, fields: &Fields) -> Vec<Box<dyn Query>> {
        let mut favours: Vec<Box<dyn Query>> = vec![];
        if !self.only_fillers() {
            let fillers = self.units.iter().filter(|unit| unit.is_filler());
            favours.extend(
                fillers.flat_map(|unit| &unit.words).map(|word| term(fields.title, word.text(), FILLER)),
            );
        }
        favours.extend(in_a_row(fields.title, self.words.iter().map(|word| word.text.as_str()), IN_A_ROW));
        let bare: Vec<Word> =
            self.words.iter().filter(|word| !FILLERS.contains(&word.text.as_str())).cloned().collect();
        let mut wholes = [&self.words, without_article(&self.words), &bare]
            .map(text::line)
            .into_iter()
            .collect::<Vec<_>>();
        wholes.sort_unstable();
        wholes.dedup();
        wholes.retain(|whole| !whole.is_empty());
        let wholes = wholes.iter().map(|whole| term(fields.exact, whole, WHOLE)).collect();
        favours.push(Box::new(DisjunctionMaxQuery::new(wholes)));
        favours
    }
}

/// How many of so many words are enough.
fn most(words: usize) -> usize {
    match words {
        0..=1 => words,
        2..=4 => words - 1,
        _ => words - 2,
    }
}

/// The units of what stood between two spaces: words that belong together, and rows of signs.
fn units(chunk: &str) -> Vec<Unit> {
    let compact: String = chunk.chars().filter(|c| c.is_alphanumeric()).collect();
    let code = text::gtin(&compact).unwrap_or(compact);
    let words = text::words(chunk);
    let parts = words.chunk_by(|a, b| a.sign == b.sign);
    let unit = |part: &[Word]| Unit {
        words: part.iter().map(|word| Typed::new(&word.text)).collect(),
        code: code.clone(),
        signs: part[0].sign,
        open: false,
    };
    parts.map(unit).collect()
}

impl Unit {
    fn is_filler(&self) -> bool {
        matches!(&self.words[..], [word] if FILLERS.contains(&word.text()))
    }

    fn query(&self, fields: &Fields, typos: bool) -> Box<dyn Query> {
        let mut ways = vec![term(fields.code, &self.code, CODE)];
        match &self.words[..] {
            [word] => ways.extend(word_query(fields, word, typos, self.open)),
            words if self.signs => {
                let places = [(fields.title, TITLE), (fields.names, NAMES), (fields.more, MORE)];
                let row = |(field, score)| in_a_row(field, words.iter().map(Typed::text), score);
                ways.extend(places.into_iter().filter_map(row));
            }
            words => {
                let last = words.len() - 1;
                let all = words
                    .iter()
                    .enumerate()
                    .map(|(at, word)| best(word_query(fields, word, typos, self.open && at == last)));
                ways.push(Box::new(BooleanQuery::intersection(all.collect())));
            }
        }
        best(ways)
    }
}

/// All the ways in which a product can have a word.
fn word_query(fields: &Fields, word: &Typed, typos: bool, open: bool) -> Vec<Box<dyn Query>> {
    let places = [(fields.title, TITLE), (fields.names, NAMES), (fields.more, MORE)];
    let mut ways: Vec<Box<dyn Query>> =
        places.iter().map(|(field, score)| term(*field, word.text(), *score)).collect();
    let letters = word.letters();
    if open && !word.is_number() {
        match letters {
            0..=STARTS_MAX => ways.push(term(fields.starts, word.text(), part(NAMES, STARTED))),
            _ => {
                let begun = word.begun();
                ways.extend(places.map(|(field, score)| alike(begun.within(field), part(score, STARTED))));
            }
        }
    }
    if typos && !word.is_number() && TYPO_LENGTHS.contains(&letters) {
        let near = word.near(if letters < TWO_TYPOS { 1 } else { 2 });
        ways.extend(places.map(|(field, score)| alike(near.within(field), part(score, MISTYPED))));
    }
    ways
}

/// A part of a score, whole.
fn part(score: f32, of_it: f32) -> f32 {
    (score * of_it).round()
}

fn alike(query: impl Query, score: f32) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(query), score))
}

pub(super) fn key(field: Field, word: &str) -> Term {
    Term::from_field_text(field, word)
}

fn term(field: Field, word: &str, score: f32) -> Box<dyn Query> {
    let query = TermQuery::new(key(field, word), IndexRecordOption::Basic);
    Box::new(ConstScoreQuery::new(Box::new(query), score))
}

/// These words one after the other. None: a row has at least two.
fn in_a_row<'w>(field: Field, words: impl Iterator<Item = &'w str>, score: f32) -> Option<Box<dyn Query>> {
    let terms: Vec<Term> = words.take(UNITS_MAX).map(|word| key(field, word)).collect();
    let row = || ConstScoreQuery::new(Box::new(PhraseQuery::new(terms.clone())), score);
    (terms.len() > 1).then(|| Box::new(row()) as Box<dyn Query>)
}

/// The best of several ways counts, not their sum.
fn best(ways: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    Box::new(DisjunctionMaxQuery::new(ways))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Vec<String> {
        Ask::read(text).wanted().map(|word| word.text().to_owned()).collect()
    }

    #[test]
    fn words_that_people_add_are_not_wanted_unless_there_are_no_others() {
        assert_eq!(wanted("The Hobbit by Tolkien"), ["hobbit", "tolkien"]);
        assert_eq!(wanted("by the book"), ["by", "the", "book"]);
    }

    #[test]
    fn operators_are_text() {
        assert_eq!(
            wanted("\"harry\" -potter* AND (x:y OR [z TO w]) ~2 ^3 \\"),
            ["harry", "potter", "x", "y", "or", "z", "w", "2", "3"]
        );
        for text in ["", " ", "\"", "\\", "-", "*", "(((", "\0", "🦊", "\u{202e}\u{200b}", "--- ***"] {
            assert!(Ask::read(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn typos_are_looked_for_in_unknown_words_first() {
        let ask = Ask::read("the hary potter-man boks");
        let known = |word: &str| Ok::<bool, ()>(["potter", "boks"].contains(&word));
        assert_eq!(ask.unknown(known), Ok(0b011));
        let mut tried = vec![Care::Exact];
        while let Some(next) = tried[tried.len() - 1].more_lenient(|| ask.unknown(known)).unwrap() {
            tried.push(next);
        }
        assert_eq!(tried, [Care::Exact, Care::Typos(0b011), Care::TYPOS, Care::Most]);
        assert_eq!(Care::Exact.more_lenient(|| Ok::<u32, ()>(0)), Ok(Some(Care::TYPOS)));
    }

    #[test]
    fn a_long_query_is_cut() {
        assert_eq!(wanted(&"ab ".repeat(5_000)).len(), UNITS_MAX);
        assert_eq!(wanted(&"x".repeat(10_000)), ["x".repeat(QUERY_LENGTH_MAX)]);
    }

    #[test]
    fn a_number_under_a_bar_code_is_one_word() {
        for text in ["978-0-439-02348-1", "978 0 439 02348 1", "0-439-02348-3", "0439023483"] {
            assert_eq!(wanted(text), ["9780439023481"], "{text}");
        }
    }
}
