//! What somebody probably meant: words near to those that were typed, which some product has together.
//!
//! Each word may stand for several that the index has. A product that has one of each word's is a reading of what was
//! typed; the best reading changes little, and is one of well-known products.

use std::collections::HashMap;

use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, Searcher, SegmentReader, TERMINATED};

use super::ask::{Ask, key};
use super::fields::Fields;
use super::index::Seen;
use super::near::Typed;
use super::typo::{edits, undoubled};

/// Letters of a word for which another word is looked up.
const CORRECTED_LENGTHS: std::ops::RangeInclusive<usize> = 3..=40;
/// From this length on, two edits.
const TWO_EDITS: usize = 5;
/// Letters of an unfinished word for which longer words are looked up.
const BEGUN_MIN: usize = 3;
/// Words that are tried for one.
const CANDIDATES_MAX: usize = 30;

/// What a reading costs, in the unit of popularity: eight for each doubling.
const EDIT: i64 = 100;
/// An edit that only doubles a letter, or the reverse.
const DOUBLED: i64 = 60;
/// Another first letter: people rarely get that one wrong.
const FIRST_LETTER: i64 = 60;
/// Another word although there are products with the one that was typed.
const KNOWN: i64 = 40;
/// A letter that was not typed yet.
const UNTYPED: i64 = 5;
/// A word in the description rather than in the title or a name.
const ELSEWHERE: i64 = 40;
/// A word that the product does not have.
const MISSING: i64 = 400;
/// Twice as many products, or a word twice as frequent.
const DOUBLING: i64 = 8;

/// A word that was typed, and what it may stand for.
struct Slot {
    typed: String,
    /// The cheapest first.
    candidates: Vec<Candidate>,
}

struct Candidate {
    word: String,
    cost: i64,
}

/// The words that some product has together instead of those that were typed. None: nothing is near, or no word is another.
pub(super) fn correct(seen: &Seen, ask: &Ask) -> tantivy::Result<Option<String>> {
    let wanted: Vec<&Typed> = ask.wanted().collect();
    let mut slots = vec![];
    for (at, word) in wanted.iter().enumerate() {
        let begun = ask.is_open() && at + 1 == wanted.len();
        slots.push(slot(&seen.searcher, &seen.fields, word, begun)?);
    }
    let Some(reading) = best_reading(seen, &slots)? else { return Ok(None) };
    let chosen: Vec<Option<&str>> =
        slots.iter().zip(&reading).map(|(slot, chosen)| slot.word(*chosen)).collect();
    let is_other =
        chosen.iter().zip(&wanted).any(|(chosen, typed)| chosen.is_some_and(|word| word != typed.text()));
    Ok(is_other.then(|| written(ask, chosen)))
}

/// The words in their order, with those between them that nobody looks for.
fn written(ask: &Ask, chosen: Vec<Option<&str>>) -> String {
    let mut chosen = chosen.into_iter();
    let words =
        ask.typed().filter_map(|(word, wanted)| if wanted { chosen.next().flatten() } else { Some(word) });
    words.collect::<Vec<_>>().join(" ")
}

impl Slot {
    fn word(&self, chosen: Choice) -> Option<&str> {
        Some(&self.candidates.get(usize::from(chosen?))?.word)
    }
}

fn slot(searcher: &Searcher, fields: &Fields, word: &Typed, begun: bool) -> tantivy::Result<Slot> {
    let (typed, letters) = (word.text(), word.letters());
    let is_known = is_known(searcher, fields, typed)?;
    let mut known: HashMap<String, (i64, u64)> = HashMap::new();
    let most = if letters < TWO_EDITS || is_known { 1 } else { 2 };
    if CORRECTED_LENGTHS.contains(&letters) && !word.is_number() {
        for field in [fields.title, fields.names] {
            near(searcher, field, word, most, &mut known)?;
            if begun && letters >= BEGUN_MIN {
                longer(searcher, field, typed, &mut known)?;
            }
        }
    }
    if is_known {
        known.values_mut().for_each(|(cost, _)| *cost += KNOWN);
        known.insert(typed.to_owned(), (0, 1));
    }
    let candidate = |(word, (cost, products)): (String, (i64, u64))| {
        (cost - DOUBLING * i64::from(products.max(1).ilog2()), Candidate { word, cost })
    };
    let mut ranked: Vec<(i64, Candidate)> = known.into_iter().map(candidate).collect();
    ranked.sort_unstable_by(|(x, a), (y, b)| x.cmp(y).then_with(|| a.word.cmp(&b.word)));
    ranked.truncate(CANDIDATES_MAX);
    Ok(Slot { typed: typed.into(), candidates: ranked.into_iter().map(|(_, candidate)| candidate).collect() })
}

/// Whether a product has the word.
pub(super) fn is_known(searcher: &Searcher, fields: &Fields, word: &str) -> tantivy::Result<bool> {
    for field in [fields.title, fields.names, fields.more, fields.code] {
        if searcher.doc_freq(&key(field, word))? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the words of a field that are at most `most` edits away: what each costs, and how many products have it.
fn near(
    searcher: &Searcher,
    field: Field,
    typed: &Typed,
    most: u8,
    known: &mut HashMap<String, (i64, u64)>,
) -> tantivy::Result<()> {
    let automaton = typed.near(most).automaton();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().search(automaton).into_stream()?;
        while terms.advance() {
            let word = String::from_utf8_lossy(terms.key()).into_owned();
            let products = u64::from(terms.value().doc_freq);
            known.entry(word).or_insert_with_key(|word| (cost(typed.text(), word), 0)).1 += products;
        }
    }
    Ok(())
}

/// Adds the words of a field that begin like an unfinished one.
fn longer(
    searcher: &Searcher,
    field: Field,
    typed: &str,
    known: &mut HashMap<String, (i64, u64)>,
) -> tantivy::Result<()> {
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().range().ge(typed).into_stream()?;
        while terms.advance() && terms.key().starts_with(typed.as_bytes()) {
            let word = String::from_utf8_lossy(terms.key()).into_owned();
            let products = u64::from(terms.value().doc_freq);
            let untyped = word.chars().count() - typed.chars().count();
            known.entry(word).or_insert((UNTYPED * untyped as i64, 0)).1 += products;
        }
    }
    Ok(())
}

/// What it costs that `typed` should be `word`.
fn cost(typed: &str, word: &str) -> i64 {
    let each = if undoubled(typed) == undoubled(word) { DOUBLED } else { EDIT };
    let first = if typed.chars().next() == word.chars().next() { 0 } else { FIRST_LETTER };
    each * edits(typed, word) as i64 + first
}

/// Which candidate of a slot. None: the product has none of them.
type Choice = Option<u8>;

/// A product on its way to being a reading.
#[derive(Clone)]
struct Product {
    chosen: Vec<Choice>,
    cost: i64,
    missing: usize,
}

/// A reading of all slots: how many products have it, and how good the best of them is.
#[derive(Default)]
struct Standing {
    products: u64,
    best: i64,
}

impl Standing {
    fn score(&self) -> i64 {
        self.best + DOUBLING * i64::from(self.products.max(1).ilog2())
    }
}

fn best_reading(seen: &Seen, slots: &[Slot]) -> tantivy::Result<Option<Vec<Choice>>> {
    let read = slots.iter().filter(|slot| !slot.candidates.is_empty()).count();
    let mut readings: HashMap<Vec<Choice>, Standing> = HashMap::new();
    for (segment, columns) in seen.searcher.segment_readers().iter().zip(&seen.columns) {
        for (doc, product) in products(segment, &seen.fields, slots)? {
            if read == 0 || product.missing > may_miss(read) {
                continue;
            }
            let score = columns.popularity(doc) - product.cost - MISSING * product.missing as i64;
            let standing = readings.entry(product.chosen).or_insert(Standing { products: 0, best: i64::MIN });
            standing.products += 1;
            standing.best = standing.best.max(score);
        }
    }
    let best = readings.into_iter().max_by(|(a, x), (b, y)| x.score().cmp(&y.score()).then_with(|| b.cmp(a)));
    Ok(best.map(|(chosen, _)| chosen))
}

/// How many of so many words a product may lack.
fn may_miss(words: usize) -> usize {
    words / 3
}

/// The products of a segment that have a word of enough slots.
fn products(
    segment: &SegmentReader,
    fields: &Fields,
    slots: &[Slot],
) -> tantivy::Result<HashMap<DocId, Product>> {
    let mut having = vec![];
    for (at, slot) in slots.iter().enumerate().filter(|(_, slot)| !slot.candidates.is_empty()) {
        having.push((at, having_any(segment, fields, slot)?));
    }
    having.sort_by_key(|(_, having)| having.len());
    let nothing = Product { chosen: vec![None; slots.len()], cost: 0, missing: having.len() };
    let enough = having.len() - may_miss(having.len());
    // Who has enough of them has one of the first few: the rare ones.
    let telling = having.len() + 1 - enough;
    let mut products: HashMap<DocId, Product> = HashMap::new();
    for (number, (at, having)) in having.into_iter().enumerate() {
        for (doc, (cost, candidate)) in having {
            let product = match number < telling {
                true => products.entry(doc).or_insert_with(|| nothing.clone()),
                false => match products.get_mut(&doc) {
                    Some(product) => product,
                    None => continue,
                },
            };
            product.chosen[at] = Some(candidate);
            product.cost += cost;
            product.missing -= 1;
        }
    }
    Ok(products)
}

/// The products that have a candidate, with the cheapest that each has.
fn having_any(
    segment: &SegmentReader,
    fields: &Fields,
    slot: &Slot,
) -> tantivy::Result<HashMap<DocId, (i64, u8)>> {
    let mut cheapest: HashMap<DocId, (i64, u8)> = HashMap::new();
    for (number, candidate) in (0..).zip(&slot.candidates) {
        let as_typed = candidate.word == slot.typed;
        let places = [(fields.title, 0), (fields.names, 0), (fields.more, ELSEWHERE), (fields.code, 0)];
        // What is only mentioned somewhere counts when it was typed so.
        let places =
            places.into_iter().filter(|(field, _)| as_typed || [fields.title, fields.names].contains(field));
        for (field, more) in places {
            let offered = (candidate.cost + more, number);
            each_having(segment, field, &candidate.word, |doc| {
                let known = cheapest.entry(doc).or_insert(offered);
                *known = offered.min(*known);
            })?;
        }
    }
    Ok(cheapest)
}

fn each_having(
    segment: &SegmentReader,
    field: Field,
    word: &str,
    mut each: impl FnMut(DocId),
) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let Some(mut postings) = index.read_postings(&key(field, word), IndexRecordOption::Basic)? else {
        return Ok(());
    };
    while postings.doc() != TERMINATED {
        if segment.alive_bitset().is_none_or(|alive| alive.is_alive(postings.doc())) {
            each(postings.doc());
        }
        postings.advance();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelier_typos_cost_less() {
        for (typed, likely, unlikely) in [
            ("hary", "harry", "mary"),
            ("poter", "potter", "power"),
            ("rowlin", "rowling", "bowling"),
            ("tolkein", "tolkien", "talking"),
        ] {
            assert!(cost(typed, likely) < cost(typed, unlikely), "{typed}");
        }
        assert_eq!(cost("potter", "potter"), 0);
    }
}
