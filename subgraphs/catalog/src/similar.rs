//! Products that may be the one somebody means: what a title is made of, however it is written.

mod title;

use chassis::Failure;
use contract::ProductId;
use entity::catalog::{Publication, product};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, SimpleTokenizer, TextAnalyzer};

use self::title::Title;

/// Candidates that are shown at most.
pub const CANDIDATES_MAX: usize = 10;
/// Products whose titles are compared.
const LOOKED_AT_MAX: u64 = 200;
/// Letters of a word in a name that may be an initial: `J.`, `jk`.
const INITIALS_MAX: usize = 2;
/// Words that say nothing about which product it is.
const SMALL_WORDS: [&str; 9] = ["a", "an", "and", "by", "in", "of", "on", "or", "the"];

/// The words of a title in the order of the alphabet, each once, without accents, small words and what stands in
/// brackets at its end: titles that differ in nothing else have one key.
pub fn match_key(title: &str) -> String {
    let without = title.split_once(['(', '[']).map_or(title, |(before, _)| before);
    let mut words = words(without);
    if words.is_empty() {
        words = self::words(title);
    }
    let telling: Vec<&String> = words.iter().filter(|word| !SMALL_WORDS.contains(&word.as_str())).collect();
    match telling.is_empty() {
        true => words.join(" "),
        false => telling.into_iter().map(String::as_str).collect::<Vec<_>>().join(" "),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    let (mut stream, mut words) = (analyzer.token_stream(text), vec![]);
    while let Some(token) = stream.next() {
        words.push(token.text.clone());
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// Products with nearly this title, of this brand or with either brand unknown: of those with its words, and of `alike`.
pub async fn candidates(
    db: &impl ConnectionTrait,
    title: &str,
    brand: Option<&str>,
    alike: &[ProductId],
) -> Result<Vec<product::Model>, Failure> {
    let key = match_key(title);
    let mut found = Condition::any().add(product::Column::Id.is_in(alike.iter().copied()));
    if !key.is_empty() {
        found = found.add(product::Column::MatchKey.eq(key.as_str()));
    }
    let looked_at = product::Entity::find()
        .filter(found)
        .filter(product::Column::MergedInto.is_null())
        .filter(product::Column::Publication.ne(Publication::Archived))
        .order_by_asc(product::Column::Id)
        .limit(LOOKED_AT_MAX);
    let is_it = |product: &product::Model| {
        let names: Vec<String> = brand.into_iter().chain(product.brand.as_deref()).flat_map(words).collect();
        let read = |title: &str| Title::read(title).without(&names);
        is_of_brand(brand, product.brand.as_deref()) && read(title).is(&read(&product.title))
    };
    let all = looked_at.all(db).await?;
    Ok(all.into_iter().filter(is_it).take(CANDIDATES_MAX).collect())
}

/// Whether two brands may be one. A brand that nobody said may be any.
fn is_of_brand(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    let (one, other) = (words(one), words(other));
    one == other || has_names_of(&one, &other) || has_names_of(&other, &one)
}

/// Whether every name of `few` is among `many`. Initials are left out or written in full.
fn has_names_of(many: &[String], few: &[String]) -> bool {
    let mut names = few.iter().filter(|word| word.chars().count() > INITIALS_MAX).peekable();
    names.peek().is_some() && names.all(|name| many.iter().any(|other| title::is_like(name, other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_are_written_differently_have_one_key() {
        for (one, other) in [
            ("The Hunger Games (The Hunger Games, #1)", "hunger games, THE"),
            ("Les Misérables", "Les Miserables"),
            ("Air Max 90", "AIR-MAX 90"),
            ("(500) Days of Summer", "500 days of summer"),
        ] {
            assert_eq!(match_key(one), match_key(other), "{one}");
        }
    }

    #[test]
    fn other_titles_have_other_keys() {
        for (one, other) in [
            ("Air Max 90", "Air Max 95"),
            ("百年孤独", "百年"),
            ("The The", "The And"),
            ("Dune", "Dune Messiah"),
        ] {
            assert_ne!(match_key(one), match_key(other), "{one}");
        }
        assert_eq!(match_key("!?"), "");
    }

    #[test]
    fn a_name_is_written_in_many_ways() {
        for (one, other) in [
            (Some("J.K. Rowling"), Some("Rowling, Joanne K.")),
            (Some("Suzanne Collins"), Some("suzanne colins")),
            (Some("J.K. Rowling, Mary GrandPré"), Some("JK Rowling")),
            (Some("adidas"), Some("Adidas Originals")),
            (Some("LG"), Some("lg")),
            (Some("Nike"), None),
        ] {
            assert!(is_of_brand(one, other) && is_of_brand(other, one), "{one:?} {other:?}");
        }
        for (one, other) in
            [("Nike", "adidas"), ("George Orwell", "George Eliot"), ("LG", "HP"), ("River Horse", "Collins")]
        {
            assert!(!is_of_brand(Some(one), Some(other)), "{one} {other}");
        }
    }
}
