//! When two titles are one: what people leave out, turn around and mistype does not matter; a number does.

use std::collections::BTreeSet;

use crate::search::{edits, fold, words};

/// Words that say nothing about which product it is. Prepositions do: On the Road is not The Road.
const SMALL_WORDS: [&str; 14] = [
    "a",
    "an",
    "and",
    "the",
    "vol",
    "volume",
    "no",
    "nr",
    "part",
    "edition",
    "ed",
    "novel",
    "hardcover",
    "paperback",
];
/// From this length on, a word may have one typo; from the next, two.
const ONE_TYPO: usize = 5;
const TWO_TYPOS: usize = 9;

/// A title, ready to be compared.
#[derive(Clone, Debug)]
pub struct Title {
    /// Without what stands in brackets.
    whole: Parts,
    /// Without its subtitle as well; None: it has none.
    main: Option<Parts>,
    /// Numbers in brackets.
    aside: BTreeSet<u32>,
}

/// The words of a title that tell it apart, and its numbers.
#[derive(Clone, Debug, Default)]
struct Parts {
    words: Vec<String>,
    numbers: BTreeSet<u32>,
}

impl Title {
    pub fn read(title: &str) -> Self {
        let bare = without_brackets(title);
        let whole = Parts::read(&bare);
        let aside = Parts::read(title).numbers.difference(&whole.numbers).copied().collect();
        let main = bare.split_once([':', '–', '—']).map(|(main, _)| Parts::read(main));
        if whole.is_empty() {
            return Self { whole: Parts::read(title), main: None, aside: BTreeSet::new() };
        }
        Self { whole, main: main.filter(|main| !main.is_empty()), aside }
    }

    /// It without the words of a name that may stand in it or not: the maker's.
    pub fn without(mut self, name: &[String]) -> Self {
        for parts in std::iter::once(&mut self.whole).chain(&mut self.main) {
            let rest: Vec<String> = parts.words.iter().filter(|word| !name.contains(word)).cloned().collect();
            if !rest.is_empty() {
                parts.words = rest;
            }
        }
        self
    }

    /// Whether both are the title of one thing. One of them may lack the subtitle, and the number in its series.
    pub fn is(&self, other: &Self) -> bool {
        let asides = self.aside.is_empty() || other.aside.is_empty() || self.aside == other.aside;
        let ways = [
            (Some(&self.whole), Some(&other.whole)),
            (self.main.as_ref(), Some(&other.whole)),
            (Some(&self.whole), other.main.as_ref()),
        ];
        let fits = |one: &Parts, another: &Parts| {
            one.has_numbers_of(another, &self.aside)
                && another.has_numbers_of(one, &other.aside)
                && one.has_words_of(another)
        };
        asides && ways.into_iter().any(|(one, another)| one.zip(another).is_some_and(|(a, b)| fits(a, b)))
    }
}

impl Parts {
    fn read(text: &str) -> Self {
        let mut parts = Self::default();
        for word in words(&fold(text)) {
            match number(&word.text) {
                Some(number) => _ = parts.numbers.insert(number),
                None => parts.words.push(word.text),
            }
        }
        let telling: Vec<String> =
            parts.words.iter().filter(|word| !SMALL_WORDS.contains(&word.as_str())).cloned().collect();
        if !telling.is_empty() || !parts.numbers.is_empty() {
            parts.words = telling;
        }
        parts
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.numbers.is_empty()
    }

    /// Whether the other's numbers are here or `aside`.
    fn has_numbers_of(&self, other: &Self, aside: &BTreeSet<u32>) -> bool {
        other.numbers.iter().all(|number| self.numbers.contains(number) || aside.contains(number))
    }

    /// Whether each word has one of the other's, in any order.
    fn has_words_of(&self, other: &Self) -> bool {
        if joined(&self.words) == joined(&other.words) {
            return true;
        }
        let mut free: Vec<&String> = other.words.iter().collect();
        let mut take = |word: &String| {
            // The same word before a similar one.
            let same = free.iter().position(|other| *other == word);
            let place = same.or_else(|| free.iter().position(|other| is_like(word, other)));
            place.map(|place| free.swap_remove(place)).is_some()
        };
        self.words.len() == other.words.len() && self.words.iter().all(&mut take)
    }
}

fn joined(words: &[String]) -> String {
    words.concat()
}

/// What stands outside of brackets.
fn without_brackets(title: &str) -> String {
    let mut depth = 0_u32;
    let outside = title.chars().filter(|c| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    outside.collect()
}

/// Whether two words may be one, mistyped. Codes are not.
pub(super) fn is_like(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if one.chars().chain(other.chars()).any(|c| c.is_numeric()) {
        return false;
    }
    let letters = one.chars().count().min(other.chars().count());
    let typos = usize::from(letters >= ONE_TYPO) + usize::from(letters >= TWO_TYPOS);
    typos > 0 && edits(one, other) <= typos
}

/// The number that a word is: `07`, `2nd`, `second`, `iii`.
fn number(word: &str) -> Option<u32> {
    const WRITTEN: [[&str; 3]; 10] = [
        ["one", "first", "i"],
        ["two", "second", "ii"],
        ["three", "third", "iii"],
        ["four", "fourth", "iv"],
        ["five", "fifth", "v"],
        ["six", "sixth", "vi"],
        ["seven", "seventh", "vii"],
        ["eight", "eighth", "viii"],
        ["nine", "ninth", "ix"],
        ["ten", "tenth", "x"],
    ];
    let digits =
        ["st", "nd", "rd", "th"].into_iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word);
    let written = (1..).zip(WRITTEN).find(|(_, ways)| ways.contains(&word)).map(|(number, _)| number);
    digits.parse().ok().or(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_one(one: &str, other: &str) -> bool {
        let (one, other) = (Title::read(one), Title::read(other));
        assert_eq!(one.is(&other), other.is(&one), "{one:?} {other:?}");
        one.is(&other)
    }

    #[test]
    fn one_book_is_written_in_many_ways() {
        for (one, other) in [
            ("The Hunger Games (The Hunger Games, #1)", "Hunger Games"),
            ("The Hunger Games (The Hunger Games, #1)", "Games, The Hunger [hardcover]"),
            ("The Hunger Games (The Hunger Games, #1)", "The Hungre Games"),
            ("The Hunger Games (The Hunger Games, #1)", "Hunger Games 1"),
            ("Les Misérables", "les miserables"),
            ("Sapiens: A Brief History of Humankind", "Sapiens"),
            ("Sapiens: A Brief History of Humankind", "Sapiens – a brief history of human kind"),
            ("Naruto, Vol. 01: Uzumaki Naruto (Naruto, #1)", "Naruto Vol 1"),
            ("Naruto, Vol. 01: Uzumaki Naruto (Naruto, #1)", "Naruto Volume One"),
            ("Slaughterhouse-Five", "Slaughterhouse Five"),
            ("Slaughterhouse-Five", "Slaughter House 5"),
            ("Catch-22", "Catch 22"),
            ("To Kill a Mockingbird", "to kill a mocking bird"),
            (
                "Harry Potter and the Prisoner of Azkaban (Harry Potter, #3)",
                "Harry Potter & the Prisoner of Azkabann",
            ),
            ("Gödel, Escher, Bach: An Eternal Golden Braid", "Godel Escher Bach"),
            ("(500) Days of Summer", "500 days of summer"),
            ("1984", "1984 (Paperback)"),
            ("Air Max 90", "AIR-MAX 90"),
        ] {
            assert!(are_one(one, other), "{one} | {other}");
        }
    }

    #[test]
    fn another_book_is_another_however_alike() {
        for (one, other) in [
            (
                "Naruto, Vol. 01: Uzumaki Naruto (Naruto, #1)",
                "Naruto, Vol. 02: The Worst Client (Naruto, #2)",
            ),
            ("Death Note, Vol. 1: Boredom", "Death Note, Vol. 2"),
            ("Death Note, Vol. 1: Boredom", "Death Note"),
            ("Fullmetal Alchemist, Vol. II", "Fullmetal Alchemist, Vol. III"),
            (
                "Harry Potter and the Chamber of Secrets (Harry Potter, #2)",
                "Harry Potter and the Goblet of Fire (Harry Potter, #4)",
            ),
            ("Catching Fire (The Hunger Games, #2)", "The Hunger Games (The Hunger Games, #1)"),
            ("Catching Fire (The Hunger Games, #2)", "Catching Fire 3"),
            ("The Elements of Style, 3rd edition", "The Elements of Style, Fourth Edition"),
            ("Air Max 90", "Air Max 95"),
            ("Yeezy 350 V2 Zebra", "Yeezy 350 V1 Zebra"),
            ("On the Road", "The Road"),
            ("Dune", "Dune Messiah"),
            ("Dune", "June"),
            ("Emma", "Gemma"),
            ("It", "If"),
            ("Star Wars: Thrawn", "Star Wars: Lost Stars"),
            ("百年孤独", "百年"),
            ("1984", "1985"),
            ("1Q84", "1Q85"),
            ("The Girl on the Train", "The Girl in the Spider's Web"),
            ("The Lightning Thief (Percy Jackson, #1)", "The Lightning Thief (Percy Jackson, #2)"),
        ] {
            assert!(!are_one(one, other), "{one} | {other}");
        }
    }
}
