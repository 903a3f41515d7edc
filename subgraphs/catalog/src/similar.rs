//! Products that may be the one somebody means: what a title is made of, however it is written.

use chassis::Failure;
use entity::catalog::{Publication, product};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, SimpleTokenizer, TextAnalyzer};

/// Candidates that are shown at most.
pub const CANDIDATES_MAX: u64 = 10;
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

/// Products with the words of this title, of this brand or with either brand unknown.
pub async fn candidates(
    db: &impl ConnectionTrait,
    title: &str,
    brand: Option<&str>,
) -> Result<Vec<product::Model>, Failure> {
    let key = match_key(title);
    if key.is_empty() {
        return Ok(vec![]);
    }
    let of_brand = brand.map_or_else(Condition::all, |brand| {
        let same = product::Column::BrandKey.eq(brand.trim().to_lowercase());
        Condition::any().add(product::Column::BrandKey.is_null()).add(same)
    });
    let alike = product::Entity::find()
        .filter(product::Column::MatchKey.eq(key))
        .filter(of_brand)
        .filter(product::Column::MergedInto.is_null())
        .filter(product::Column::Publication.ne(Publication::Archived))
        .order_by_asc(product::Column::Id)
        .limit(CANDIDATES_MAX);
    Ok(alike.all(db).await?)
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
}
