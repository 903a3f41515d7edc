//! 10,000 real books, from goodbooks-10k (CC BY-SA 4.0, see `souk/demo/README.md`).

use catalog::attribute::{Named, Value};
use catalog::import::{NewListing, NewOffer, NewVariant};
use catalog::number::Number;
use chassis::Failure;
use contract::{CurrencyCode, Money};
use entity::catalog::Condition;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde::Deserialize;

use super::shops::{self, Shops};

const CSV: &str = include_str!("../../demo/books.csv");

const CONDITIONS: [Condition; 4] = [Condition::New, Condition::LikeNew, Condition::VeryGood, Condition::Good];

#[derive(Deserialize)]
struct Book {
    isbn13: String,
    title: String,
    authors: String,
    year: Option<i64>,
    language: String,
    rating: String,
    ratings_count: i64,
}

/// Every book, offered by one or two of the book shops.
pub(super) fn listings(shops: &Shops, random: &mut impl Rng) -> Result<Vec<NewListing>, Failure> {
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let books = reader.deserialize::<Book>().enumerate();
    books.map(|(number, book)| Ok(listing(number, book?, shops, random))).collect()
}

fn listing(number: usize, book: Book, shops: &Shops, random: &mut impl Rng) -> NewListing {
    let offers = shops::some(&shops.books, random).into_iter().map(|seller| offer(seller, random)).collect();
    NewListing {
        handle: format!("book-{}", number + 1),
        title: book.title.clone(),
        brand: None,
        model: None,
        description: format!("By {}.", book.authors),
        category: vec!["Books".into()],
        attributes: attributes(&book),
        images: Vec::new(),
        variants: vec![NewVariant {
            gtin: (!book.isbn13.is_empty()).then_some(book.isbn13),
            offers,
            ..Default::default()
        }],
    }
}

fn offer(seller: contract::SellerId, random: &mut impl Rng) -> NewOffer {
    let condition = *CONDITIONS.choose(random).expect("there are conditions");
    let amount_minor = random.random_range(4..40) * 100 + 99;
    NewOffer { seller, condition, price: Money { amount_minor, currency: CurrencyCode::USD } }
}

fn attributes(book: &Book) -> Vec<Named> {
    let number = |text: &str| text.parse::<Number>().ok().map(Value::Number);
    let text = |text: &str| (!text.is_empty()).then(|| Value::Text(text.chars().take(200).collect()));
    let attributes = [
        ("authors", text(&book.authors)),
        ("language", (!book.language.is_empty()).then(|| Value::OneOf(book.language.clone()))),
        ("year", book.year.and_then(|year| number(&year.to_string()))),
        ("rating", number(&book.rating)),
        ("ratings_count", number(&book.ratings_count.to_string())),
    ];
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some(Named { name: name.into(), value: value? }))
        .collect()
}
