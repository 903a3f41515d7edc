//! Finds: from what was asked to a page of products.

use std::sync::Arc;

use chrono::NaiveDate;
use contract::{CategoryId, CurrencyCode, ProductId, SellerId};
use entity::catalog::Condition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ask::{Ask, Care};
use super::correct::{correct, is_known};
use super::count::Count;
use super::document::currency_number;
use super::facets::Counts;
use super::index::{Reading, Seen};
use crate::shown::products::{PriceRange, Test};

/// The order of what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// Any of these, in lower case.
    pub(crate) brands: Vec<String>,
    pub(crate) category: Option<CategoryId>,
    pub(crate) attributes: Vec<(String, Test)>,
    pub(crate) released: (Option<NaiveDate>, Option<NaiveDate>),
    pub(crate) offer: OfferFilter,
}

/// What one offer of a product must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct OfferFilter {
    /// Any of these.
    pub(crate) conditions: Vec<Condition>,
    /// Any of these.
    pub(crate) sizes: Vec<String>,
    pub(crate) price: Option<PriceRange>,
    /// Whether one that is all of this is in stock.
    pub(crate) in_stock: Option<bool>,
    pub(crate) seller: Option<SellerId>,
}

/// Where a page ends: the product's place in the order, and how the words were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) sort: Sort,
    pub(crate) care: Care,
    pub(crate) key: i64,
    pub(crate) product: ProductId,
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
    /// Whether to say what the words probably mean, when no product has them as they were typed.
    pub(crate) correction: bool,
}

impl Wanted {
    /// The currency as the index holds it.
    pub(super) fn currency_number(&self) -> Option<u64> {
        self.currency.map(|code| currency_number(code.as_str()))
    }
}

/// What is found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Key>,
    pub(crate) total: u64,
    /// Empty unless they were asked for.
    pub(crate) counts: Counts,
    /// What the words probably mean. None unless it was asked for.
    pub(crate) did_you_mean: Option<String>,
}

/// Finds a page: with every word if there is such a product, then with typos, then with most words.
pub(super) fn find(reading: &Reading, wanted: Wanted) -> tantivy::Result<Arc<Found>> {
    let seen = reading.look()?;
    let found = Arc::new(find_in(&seen, &wanted)?);
    reading.known.found.keep(seen.generation(), wanted, found.clone());
    Ok(found)
}

fn find_in(seen: &Seen, wanted: &Wanted) -> tantivy::Result<Found> {
    let ask = Ask::read(&wanted.text);
    let count = Count { wanted, columns: &seen.columns };
    let mut care = wanted.after.map_or(Care::Exact, |place| place.care);
    let pass = loop {
        let pass = seen.searcher.search(&*ask.query(&seen.fields, care), &count)?;
        // The next pages are those of the first one.
        let is_final = pass.matched > 0 || wanted.after.is_some() || ask.is_empty();
        match if is_final { None } else { more_lenient(seen, &ask, care)? } {
            Some(next) => care = next,
            None => break pass,
        }
    };
    let did_you_mean = match wanted.correction && wanted.after.is_none() && care != Care::Exact {
        true => correct(seen, &ask)?,
        false => None,
    };
    let hit = |(key, id)| Key { sort: wanted.sort, care, key, product: ProductId(Uuid::from_u128(id)) };
    Ok(Found {
        hits: pass.top.into_iter().map(hit).collect(),
        total: pass.total,
        counts: pass.sums.map(|sums| sums.counts(wanted.currency_number())).unwrap_or_default(),
        did_you_mean,
    })
}

/// How to read what was typed when nothing is found with `care`.
pub(super) fn more_lenient(seen: &Seen, ask: &Ask, care: Care) -> tantivy::Result<Option<Care>> {
    care.more_lenient(|| ask.unknown(|word| is_known(&seen.searcher, &seen.fields, word)))
}
