//! The document of a product: everything that search knows of it.

use chrono::{Datelike, NaiveDate};
use contract::{CategoryId, ProductId};
use entity::catalog::{Condition, offer, product, product_attribute, variant};
use tantivy::TantivyDocument;
use tantivy::schema::Field;
use tantivy::tokenizer::{PreTokenizedString, Token};
use uuid::Uuid;

use super::facets::step;
use super::fields::Fields;
use super::text::{self, Word};
use crate::number::Number;

/// Letters of a word that are indexed as its start.
pub(super) const STARTS_MAX: usize = 3;
/// Words of a description that are indexed.
const DESCRIPTION_WORDS_MAX: usize = 500;
/// Offers of a product that are indexed, more than any product has.
const OFFERS_MAX: usize = 10_000;
/// Bytes of a value that is counted: the engine refuses terms that are much longer.
const VALUE_BYTES_MAX: usize = 1_024;

/// Attributes with a meaning of their own: who made it, how it is liked, since when it is there.
const NAMES: [&str; 4] = ["authors", "author", "artist", "line"];
const RATING: &str = "rating";
const RATINGS_COUNT: &str = "ratings_count";
const RELEASED: &str = "released";
const YEAR: &str = "year";

/// A product that few rated counts as rated so, by so many.
const USUAL_RATING_MICRO: i128 = 3_900_000;
const USUAL_RATINGS: i128 = 100;
/// A product of a kind that nobody rates is as well known as one that so many rated.
const USUAL_COUNT: i64 = 5_000;

/// The rows of a product that buyers see.
pub(super) struct Source {
    pub(super) product: product::Model,
    pub(super) variants: Vec<variant::Model>,
    /// Those that can be bought.
    pub(super) offers: Vec<offer::Model>,
    pub(super) attributes: Vec<Said>,
    /// Its categories and all above them.
    pub(super) categories: Vec<(CategoryId, String)>,
}

/// Something that is said about a product.
pub(super) struct Said {
    pub(super) value: product_attribute::Model,
    /// Whether it is counted.
    pub(super) filterable: bool,
}

/// The key of a product's document.
pub(super) fn key(id: ProductId) -> String {
    id.0.simple().to_string()
}

/// What is counted, as the column holds it: a letter for the facet, what it is about, the value.
pub(super) mod facet {
    use super::*;

    /// A facet, and what its values begin with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub(in crate::search) enum Facet<'n> {
        Attribute(&'n str),
        Brand,
        Category,
        InStock,
        Condition,
        Price,
        Size,
    }

    /// What offers are comes after everything else that is counted.
    pub(in crate::search) const OF_OFFERS: &str = "i";
    pub(in crate::search) const IN_STOCK: &str = "i";

    pub(in crate::search) fn brand(key: &str) -> String {
        format!("b{key}\0")
    }

    pub(in crate::search) fn category(id: CategoryId) -> String {
        format!("c{}", id.0.simple())
    }

    /// All values of an attribute.
    pub(in crate::search) fn attribute(name: &str) -> String {
        format!("a{name}\0")
    }

    pub(in crate::search) fn condition(number: u64) -> String {
        format!("k{number}")
    }

    pub(in crate::search) fn price(currency: u64, step: u32) -> String {
        format!("p{currency}\0{step}")
    }

    pub(in crate::search) fn size(size: &str) -> String {
        format!("s{size}")
    }

    /// The facet of what the column holds, and the value. A brand's is its key, a NUL, and how it shows; a price's its
    /// currency, a NUL, and its step.
    pub(in crate::search) fn split(counted: &str) -> Option<(Facet<'_>, &str)> {
        let value = counted.get(1..)?;
        Some(match counted.as_bytes()[0] {
            b'a' => value.split_once('\0').map(|(name, value)| (Facet::Attribute(name), value))?,
            b'b' => (Facet::Brand, value),
            b'c' => (Facet::Category, value),
            b'i' => (Facet::InStock, value),
            b'k' => (Facet::Condition, value),
            b'p' => (Facet::Price, value),
            b's' => (Facet::Size, value),
            _ => return None,
        })
    }
}

const CONDITIONS: [Condition; 5] =
    [Condition::New, Condition::LikeNew, Condition::VeryGood, Condition::Good, Condition::Acceptable];

/// Where a condition stands among all of them.
pub(super) fn condition_number(condition: Condition) -> u64 {
    CONDITIONS.iter().position(|other| *other == condition).expect("every condition is in the list") as u64
}

pub(super) fn condition_of(number: u64) -> Condition {
    CONDITIONS[number as usize % CONDITIONS.len()]
}

/// The three letters of a currency as a number.
pub(super) fn currency_number(code: &str) -> u64 {
    code.bytes().fold(0, |number, b| (number << 8) | u64::from(b))
}

/// What an offer is in one number: condition, then stock, then currency.
fn flags(offer: &offer::Model) -> u64 {
    condition_number(offer.condition)
        | u64::from(offer.available > 0) << 3
        | currency_number(&offer.currency) << 4
}

pub(super) fn flags_condition(flags: u64) -> u64 {
    flags & 0b111
}
pub(super) fn flags_in_stock(flags: u64) -> bool {
    flags & 0b1000 != 0
}
pub(super) fn flags_currency(flags: u64) -> u64 {
    flags >> 4
}

/// Makes the document.
pub(super) fn document(fields: &Fields, source: &Source) -> TantivyDocument {
    let mut document = TantivyDocument::default();
    let product = &source.product;
    let (high, low) = product.id.0.as_u64_pair();
    document.add_text(fields.id, key(product.id));
    document.add_u64(fields.id_high, high);
    document.add_u64(fields.id_low, low);
    document.add_text(fields.shown, &product.title);
    add_texts(&mut document, fields, source);
    for whole in wholes(&product.title) {
        document.add_text(fields.exact, whole);
    }
    for code in codes(&source.variants) {
        document.add_text(fields.code, code);
    }
    for counted in counted(source) {
        document.add_text(fields.facet, counted);
    }
    add_offers(&mut document, fields, source);
    add_standing(&mut document, fields, source);
    document
}

fn add_texts(document: &mut TantivyDocument, fields: &Fields, source: &Source) {
    let product = &source.product;
    let texts = |wanted: fn(&str) -> bool| {
        let said = source.attributes.iter().filter(move |said| wanted(&said.value.name));
        said.filter_map(|said| said.value.text_value.as_deref())
    };
    let is_name: fn(&str) -> bool = |name| NAMES.contains(&name);
    let names: Vec<&str> = [product.brand.as_deref(), product.model.as_deref()]
        .into_iter()
        .flatten()
        .chain(texts(is_name))
        .collect();
    let sizes =
        source.variants.iter().flat_map(|variant| [variant.size.as_deref(), variant.edition.as_deref()]);
    let mut more: Vec<&str> = texts(|name| !NAMES.contains(&name)).chain(sizes.flatten()).collect();
    more.extend(source.categories.iter().map(|(_, name)| name.as_str()));
    more.extend(source.variants.iter().any(|variant| variant.size.is_some()).then_some("size"));
    let title = text::indexed(&product.title);
    let mut starts = Vec::new();
    add_starts(&mut starts, &title);
    add_words(document, fields.title, title);
    for name in names {
        let words = text::indexed(name);
        add_starts(&mut starts, &words);
        add_words(document, fields.names, words);
    }
    more.sort_unstable();
    more.dedup();
    for text in more {
        add_words(document, fields.more, text::indexed(text));
    }
    let mut description = text::indexed(&product.description);
    description.truncate(DESCRIPTION_WORDS_MAX);
    add_words(document, fields.more, description);
    starts.sort_unstable();
    starts.dedup();
    for start in starts {
        document.add_text(fields.starts, start);
    }
}

fn add_starts(starts: &mut Vec<String>, words: &[Word]) {
    for word in words {
        let letters = word.text.char_indices().map(|(at, c)| at + c.len_utf8()).take(STARTS_MAX);
        starts.extend(letters.map(|end| word.text[..end].to_owned()));
    }
}

fn add_words(document: &mut TantivyDocument, field: Field, words: Vec<Word>) {
    let tokens = words.into_iter().map(|word| Token {
        offset_from: 0,
        offset_to: 0,
        position: word.place,
        text: word.text,
        position_length: 1,
    });
    document
        .add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens: tokens.collect() });
}

/// What people type for the whole title: without the series in parentheses, without the subtitle; or the series with its
/// number; each with and without an article before it.
fn wholes(title: &str) -> Vec<String> {
    let (before, series) = title.split_once('(').unwrap_or((title, ""));
    let main = before.split_once(':').map_or(before, |(main, _)| main);
    let mut wholes = vec![];
    for part in [title, before, main, series] {
        let words = text::words(&text::fold(part));
        wholes.push(text::line(&words));
        wholes.push(text::line(without_article(&words)));
    }
    wholes.retain(|whole| !whole.is_empty() && whole.len() <= VALUE_BYTES_MAX);
    wholes.sort_unstable();
    wholes.dedup();
    wholes
}

/// The words without an article before them.
pub(super) fn without_article(words: &[Word]) -> &[Word] {
    match words {
        [first, rest @ ..] if !rest.is_empty() && ["the", "a", "an"].contains(&first.text.as_str()) => rest,
        _ => words,
    }
}

fn codes(variants: &[variant::Model]) -> Vec<String> {
    let mut codes = vec![];
    for variant in variants {
        codes.extend(variant.sku.as_deref().map(text::compact));
        let Some(gtin) = &variant.gtin else { continue };
        codes.push(gtin.clone());
        codes.extend(["gtin", "ean"].map(str::to_owned));
        if gtin.starts_with("978") || gtin.starts_with("979") {
            codes.extend(["isbn", "isbn13", "isbn10"].map(str::to_owned));
        }
    }
    codes.retain(|code| !code.is_empty());
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// What the product counts for. Each once.
fn counted(source: &Source) -> Vec<String> {
    let product = &source.product;
    let brand = product.brand_key.iter().zip(&product.brand);
    let mut all: Vec<String> = brand.map(|(key, shown)| facet::brand(key) + shown).collect();
    all.extend(source.categories.iter().map(|(id, _)| facet::category(*id)));
    let filterable = source.attributes.iter().filter(|said| said.filterable);
    all.extend(filterable.filter_map(|said| Some(facet::attribute(&said.value.name) + &value(&said.value)?)));
    all.extend(source.offers.iter().take(OFFERS_MAX).flat_map(|offer| counted_of(source, offer)));
    all.retain(|value| value.len() <= VALUE_BYTES_MAX);
    all.sort_unstable();
    all.dedup();
    all
}

/// What an offer counts for.
fn counted_of(source: &Source, offer: &offer::Model) -> impl Iterator<Item = String> {
    let size = Some(size_of(source, offer)).filter(|size| !size.is_empty()).map(facet::size);
    let in_stock = (offer.available > 0).then(|| facet::IN_STOCK.to_owned());
    let step = step(offer.price_minor.unsigned_abs());
    let price = facet::price(currency_number(&offer.currency), step);
    [facet::condition(condition_number(offer.condition)), price].into_iter().chain(size).chain(in_stock)
}

fn size_of<'s>(source: &'s Source, offer: &offer::Model) -> &'s str {
    let variant = source.variants.iter().find(|variant| variant.id == offer.variant_id);
    variant.and_then(|variant| variant.size.as_deref()).unwrap_or_default()
}

fn value(said: &product_attribute::Model) -> Option<String> {
    let number = said.number_micro.map(|micro| Number { micro }.to_string());
    said.text_value.clone().or(number).or(said.bool_value.map(|answer| answer.to_string()))
}

fn add_offers(document: &mut TantivyDocument, fields: &Fields, source: &Source) {
    for offer in source.offers.iter().take(OFFERS_MAX) {
        document.add_u64(fields.offer_price, offer.price_minor.unsigned_abs());
        document.add_u64(fields.offer_flags, flags(offer));
        document.add_text(fields.offer_size, size_of(source, offer));
        document.add_text(fields.offer_seller, seller(offer.seller_id.0));
    }
}

/// A seller as the column holds it.
pub(super) fn seller(id: Uuid) -> String {
    id.simple().to_string()
}

fn add_standing(document: &mut TantivyDocument, fields: &Fields, source: &Source) {
    let said =
        |name: &str| source.attributes.iter().find(|said| said.value.name == name).map(|said| &said.value);
    let number = |name: &str| said(name).and_then(|value| value.number_micro);
    let counted = number(RATINGS_COUNT).map(|micro| micro.max(0) / 1_000_000);
    document.add_u64(fields.popularity, popularity(counted.unwrap_or(USUAL_COUNT).unsigned_abs()));
    let ratings = counted.unwrap_or(0);
    if let Some(rating) = number(RATING) {
        document.add_i64(fields.rating, standing(rating, ratings));
    }
    let date = said(RELEASED).and_then(|value| value.text_value.as_deref()?.parse::<NaiveDate>().ok());
    let year =
        number(YEAR).and_then(|micro| NaiveDate::from_ymd_opt(i32::try_from(micro / 1_000_000).ok()?, 1, 1));
    if let Some(date) = date.or(year) {
        document.add_i64(fields.released, days(date));
    }
}

/// A date as the column holds it.
fn days(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce())
}

/// From one day to another, both of which may be open.
pub(super) fn days_range(from: Option<NaiveDate>, to: Option<NaiveDate>) -> (i64, i64) {
    (from.map_or(i64::MIN, days), to.map_or(i64::MAX, days))
}

/// Eight for every doubling of the number of ratings; no floats, so that it is the same everywhere.
fn popularity(ratings: u64) -> u64 {
    let more = ratings.saturating_add(1);
    let doublings = more.ilog2();
    let part = match doublings {
        0..3 => more << (3 - doublings),
        _ => more >> (doublings - 3),
    };
    u64::from(doublings) * 8 + part % 8
}

/// A rating in millionths, drawn to the usual one when few gave it.
fn standing(rating_micro: i64, ratings: i64) -> i64 {
    let (rating, ratings) = (i128::from(rating_micro), i128::from(ratings));
    let sum = rating * ratings + USUAL_RATING_MICRO * USUAL_RATINGS;
    i64::try_from(sum / (ratings + USUAL_RATINGS)).unwrap_or(rating_micro)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popularity_rises_with_the_ratings() {
        let all: Vec<u64> = [0, 1, 3, 7, 8, 15, 100, 1_000, 4_780_653, u64::MAX].map(popularity).to_vec();
        assert_eq!(all[..4], [0, 8, 16, 24]);
        assert!(all.is_sorted(), "{all:?}");
    }

    #[test]
    fn a_few_good_ratings_are_not_the_best() {
        assert!(standing(5_000_000, 2) < standing(4_500_000, 10_000));
        assert_eq!(standing(0, 0), 3_900_000);
    }

    #[test]
    fn a_title_is_known_as_people_say_it() {
        assert_eq!(
            wholes("The Two Towers: A Novel (The Lord of the Rings, #2)"),
            [
                "lord of the rings 2",
                "the lord of the rings 2",
                "the two towers",
                "the two towers a novel",
                "the two towers a novel the lord of the rings 2",
                "two towers",
                "two towers a novel",
                "two towers a novel the lord of the rings 2",
            ]
        );
        assert_eq!(wholes("A"), ["a"]);
    }
}
