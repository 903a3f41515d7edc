//! Finds: from what was asked to a page of products.

use std::sync::Arc;

use chrono::NaiveDate;
use contract::{CategoryId, CurrencyCode, ProductId, SellerId};
use entity::catalog::Condition;
use serde::{Deserialize, Serialize};
use tantivy::Searcher;
use uuid::Uuid;

use super::ask::{Ask, CARES, Care};
use super::correct::correct;
use super::count::Pass;
use super::document::currency_number;
use super::facets::Counts;
use super::fields::Fields;
use super::index::Reading;
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
    /// What the words probably mean, when no product has them as they were typed.
    pub(crate) did_you_mean: Option<String>,
}

/// Finds a page: with every word if there is such a product, then with typos, then with most words.
pub(super) fn find(reading: &Reading, wanted: Wanted) -> tantivy::Result<Arc<Found>> {
    let searcher = reading.searcher();
    let found = Arc::new(find_in(&searcher, &reading.fields, &wanted)?);
    reading.answers.keep(searcher.generation().generation_id(), wanted, &found);
    Ok(found)
}

fn find_in(searcher: &Searcher, fields: &Fields, wanted: &Wanted) -> tantivy::Result<Found> {
    let ask = Ask::read(&wanted.text);
    let cares = match (wanted.after, ask.is_empty()) {
        (Some(place), _) => vec![place.care],
        (None, true) => vec![Care::Exact],
        (None, false) => CARES.to_vec(),
    };
    let (mut pass, mut as_read) = (Pass::default(), Care::Exact);
    for care in cares {
        (pass, as_read) = (searcher.search(&*ask.query(fields, care), wanted)?, care);
        if pass.matched > 0 {
            break;
        }
    }
    let did_you_mean = match wanted.after.is_none() && as_read != Care::Exact {
        true => correct(searcher, fields, &ask)?,
        false => None,
    };
    let hit =
        |(key, id)| Key { sort: wanted.sort, care: as_read, key, product: ProductId(Uuid::from_u128(id)) };
    Ok(Found {
        hits: pass.top.into_iter().map(hit).collect(),
        total: pass.total,
        counts: pass.sums.map(|sums| sums.counts(wanted.currency_number())).unwrap_or_default(),
        did_you_mean,
    })
}
