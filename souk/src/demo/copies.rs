//! The books many times over, each a little different: a larger marketplace to measure.

use catalog::import::NewListing;
use rand::Rng;
use rand::seq::IndexedRandom;

/// Another copy of `books`: other titles, other numbers under the bar code.
pub(super) fn vary(books: &[NewListing], copy: usize, random: &mut impl Rng) -> Vec<NewListing> {
    let varied = books.iter().enumerate().map(|(number, book)| {
        let mut varied = book.clone();
        varied.handle = format!("{}-copy-{copy}", book.handle);
        varied.title = other_word(book, books, random);
        for variant in &mut varied.variants {
            variant.gtin = Some(gtin(copy, number));
        }
        varied
    });
    varied.collect()
}

/// The title with one of its words from another title.
fn other_word(book: &NewListing, books: &[NewListing], random: &mut impl Rng) -> String {
    let mut words: Vec<&str> = book.title.split_whitespace().collect();
    let other = books.choose(random).and_then(|other| other.title.split_whitespace().next_back());
    if let (Some(place), Some(other)) = (random.random_range(0..=words.len()).checked_sub(1), other) {
        words[place] = other;
    }
    words.join(" ").chars().take(300).collect()
}

/// A number from the range that shops give out themselves.
fn gtin(copy: usize, number: usize) -> String {
    let digits = format!("2{copy:03}{number:08}");
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
