//! Finds: from what was asked to a page of products.

use std::collections::HashMap;

use chrono::NaiveDate;
use contract::{CategoryId, CurrencyCode, ProductId, SellerId};
use entity::catalog::Condition;
use serde::{Deserialize, Serialize};
use tantivy::Searcher;
use tantivy::query::FuzzyTermQuery;
use uuid::Uuid;

use super::ask::{Ask, CARES, Care, key};
use super::count::Pass;
use super::facets::Counts;
use super::fields::Fields;
use super::index::Reading;
use crate::shown::products::{PriceRange, Test};

/// Letters of a word for which another word is looked up.
const CORRECTED_LENGTHS: std::ops::RangeInclusive<usize> = 3..=40;
/// Words that are tried for one.
const CANDIDATES_MAX: usize = 5;
/// Searches to find words that go together.
const TRIES_MAX: usize = 40;
/// Typos of a word that is looked up.
const CORRECTED_TYPOS: u8 = 2;

/// The order of what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sort {
    #[default]
    Relevance,
    Newest,
    Released,
    BestRated,
    PriceLow,
    PriceHigh,
}

/// What products must be. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Any of these, in lower case.
    pub(crate) brands: Vec<String>,
    pub(crate) category: Option<CategoryId>,
    pub(crate) attributes: Vec<(String, Test)>,
    pub(crate) released: (Option<NaiveDate>, Option<NaiveDate>),
    pub(crate) offer: OfferFilter,
}

/// What one offer of a product must be.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfferFilter {
    /// Any of these.
    pub(crate) conditions: Vec<Condition>,
    /// Any of these.
    pub(crate) sizes: Vec<String>,
    pub(crate) price: Option<PriceRange>,
    pub(crate) in_stock: bool,
    pub(crate) seller: Option<SellerId>,
}

/// Where a page ends: the product's place in the order, and how the words were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) sort: Sort,
    pub(crate) care: Care,
    pub(crate) key: i64,
    pub(crate) product: ProductId,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) text: String,
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    /// The currency in which prices are compared and counted.
    pub(crate) currency: Option<CurrencyCode>,
    pub(crate) after: Option<Key>,
    pub(crate) limit: usize,
    /// Whether to count.
    pub(crate) facets: bool,
}

/// What is found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Key>,
    pub(crate) total: u64,
    pub(crate) counts: Option<Counts>,
    /// What the words probably mean, when no product has them as they were typed.
    pub(crate) did_you_mean: Option<String>,
}

/// Finds a page: with every word if there is such a product, then with typos, then with most words.
pub(super) fn find(reading: &Reading, wanted: &Wanted) -> tantivy::Result<Found> {
    let (searcher, ask) = (reading.searcher(), Ask::read(&wanted.text));
    let cares = match (wanted.after, ask.is_empty()) {
        (Some(place), _) => vec![place.care],
        (None, true) => vec![Care::Exact],
        (None, false) => CARES.to_vec(),
    };
    let (mut pass, mut as_read) = (Pass::default(), Care::Exact);
    for care in cares {
        (pass, as_read) = (searcher.search(&*ask.query(&reading.fields, care), wanted)?, care);
        if pass.matched > 0 {
            break;
        }
    }
    let did_you_mean = match wanted.after.is_none() && as_read != Care::Exact {
        true => correct(&searcher, &reading.fields, &ask)?,
        false => None,
    };
    let hit =
        |(key, id)| Key { sort: wanted.sort, care: as_read, key, product: ProductId(Uuid::from_u128(id)) };
    Ok(Found {
        hits: pass.top.into_iter().map(hit).collect(),
        total: pass.total,
        counts: pass.counts,
        did_you_mean,
    })
}

/// The words that some product has all of, instead of those that were typed. None: they are the same, or nothing is near.
fn correct(searcher: &Searcher, fields: &Fields, ask: &Ask) -> tantivy::Result<Option<String>> {
    let mut slots = vec![];
    for word in ask.wanted() {
        slots.push(match is_known(searcher, fields, word)? {
            true => vec![word.to_owned()],
            false => nearest(searcher, fields, word)?,
        });
    }
    let mut words = Words { searcher, fields, tries: TRIES_MAX, best: (0, String::new()) };
    words.choose(&slots, 0, "")?;
    let (text, typed) = (words.best.1, ask.wanted().collect::<Vec<_>>().join(" "));
    let text = text.trim_end();
    Ok((!text.is_empty() && text != typed).then(|| text.to_owned()))
}

/// Words that go together.
struct Words<'s> {
    searcher: &'s Searcher,
    fields: &'s Fields,
    /// Searches that may still be made.
    tries: usize,
    /// The most words that some product has, and how many.
    best: (usize, String),
}

impl Words<'_> {
    /// Goes on from `text`, which has `chosen` words, with one word of each slot; whether that was possible.
    fn choose(&mut self, slots: &[Vec<String>], chosen: usize, text: &str) -> tantivy::Result<bool> {
        let Some((slot, rest)) = slots.split_first() else { return Ok(true) };
        for candidate in slot {
            // With a space at its end it is not taken for the beginning of other words.
            let longer = format!("{text}{candidate} ");
            if !self.is_found(&longer)? {
                continue;
            }
            if chosen + 1 > self.best.0 {
                self.best = (chosen + 1, longer.clone());
            }
            if self.choose(rest, chosen + 1, &longer)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_found(&mut self, text: &str) -> tantivy::Result<bool> {
        let Some(tries) = self.tries.checked_sub(1) else { return Ok(false) };
        self.tries = tries;
        let query = Ask::read(text).query(self.fields, Care::Exact);
        Ok(self.searcher.search(&*query, &tantivy::collector::Count)? > 0)
    }
}

fn is_known(searcher: &Searcher, fields: &Fields, word: &str) -> tantivy::Result<bool> {
    for field in [fields.title, fields.names, fields.more, fields.code] {
        if searcher.doc_freq(&key(field, word))? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The words nearest to `word`, those that most products have first.
fn nearest(searcher: &Searcher, fields: &Fields, word: &str) -> tantivy::Result<Vec<String>> {
    if !CORRECTED_LENGTHS.contains(&word.chars().count()) {
        return Ok(vec![]);
    }
    for typos in 1..=CORRECTED_TYPOS {
        let mut known: HashMap<String, u64> = HashMap::new();
        for field in [fields.title, fields.names] {
            for segment in searcher.segment_readers() {
                let index = segment.inverted_index(field)?;
                let automaton = FuzzyTermQuery::new(key(field, word), typos, true).automaton()?;
                let mut terms = index.terms().search(automaton).into_stream()?;
                while terms.advance() {
                    let term = String::from_utf8_lossy(terms.key()).into_owned();
                    *known.entry(term).or_default() += u64::from(terms.value().doc_freq);
                }
            }
        }
        let mut known: Vec<(String, u64)> = known.into_iter().collect();
        known.sort_unstable_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
        if !known.is_empty() {
            return Ok(known.into_iter().map(|(term, _)| term).take(CANDIDATES_MAX).collect());
        }
    }
    Ok(vec![])
}
