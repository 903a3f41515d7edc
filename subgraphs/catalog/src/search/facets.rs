//! Facets: how many products there are under each value, with every filter but the facet's own.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use contract::CategoryId;
use entity::catalog::Condition;
use tantivy::DocId;
use tantivy::columnar::StrColumn;
use uuid::Uuid;

use super::document::condition_of;
use super::offers::{CONDITION, Offers, PRICE, SIZE, STOCK};

/// Values of a facet at most: those with the most products.
const VALUES_MAX: usize = 50;

/// A value and how many products there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueCount {
    pub(crate) value: String,
    pub(crate) count: u64,
}

/// A category and how many products there are in it and below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CategoryCount {
    pub(crate) id: CategoryId,
    pub(crate) count: u64,
}

/// Prices from one, inclusive, to another, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PriceRange {
    pub(crate) from_minor: u64,
    pub(crate) to_minor: u64,
    pub(crate) count: u64,
}

/// The facets of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// By what the column of values holds.
    values: HashMap<String, u64>,
    sizes: HashMap<String, u64>,
    conditions: BTreeMap<u64, u64>,
    prices: BTreeMap<u32, u64>,
    pub(crate) in_stock: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        other.values.into_iter().for_each(|(value, count)| *self.values.entry(value).or_default() += count);
        other.sizes.into_iter().for_each(|(size, count)| *self.sizes.entry(size).or_default() += count);
        other
            .conditions
            .into_iter()
            .for_each(|(key, count)| *self.conditions.entry(key).or_default() += count);
        other.prices.into_iter().for_each(|(key, count)| *self.prices.entry(key).or_default() += count);
        self.in_stock += other.in_stock;
    }

    /// Brands as they show, those with the most products first.
    pub(crate) fn brands(&self) -> Vec<ValueCount> {
        let mut brands: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
        for (key, shown, count) in self.group("b").filter_map(|(value, count)| {
            let (key, shown) = value.split_once('\0')?;
            Some((key, shown, count))
        }) {
            // One brand in different case is one brand.
            let brand = brands.entry(key).or_insert((shown, 0));
            brand.0 = brand.0.min(shown);
            brand.1 += count;
        }
        most(brands.into_values().map(|(shown, count)| ValueCount { value: shown.into(), count }).collect())
    }

    /// Categories, those with the most products first.
    pub(crate) fn categories(&self) -> Vec<CategoryCount> {
        let all = self.group("c").map(|(id, count)| ValueCount { value: id.into(), count });
        let parsed = most(all.collect()).into_iter().filter_map(|ValueCount { value, count }| {
            Some(CategoryCount { id: CategoryId(Uuid::try_parse(&value).ok()?), count })
        });
        parsed.collect()
    }

    /// Values of an attribute, those with the most products first.
    pub(crate) fn attribute(&self, name: &str) -> Vec<ValueCount> {
        let prefix = super::document::facet::attribute(name);
        let values = self.group(&prefix);
        most(values.map(|(value, count)| ValueCount { value: value.into(), count }).collect())
    }

    /// Sizes, those with the most products first.
    pub(crate) fn sizes(&self) -> Vec<ValueCount> {
        let named = self.sizes.iter().filter(|(size, _)| !size.is_empty());
        most(named.map(|(size, count)| ValueCount { value: size.clone(), count: *count }).collect())
    }

    /// Conditions from new to worn.
    pub(crate) fn conditions(&self) -> Vec<(Condition, u64)> {
        self.conditions.iter().map(|(condition, count)| (condition_of(*condition), *count)).collect()
    }

    /// Ranges of prices from low to high.
    pub(crate) fn prices(&self) -> Vec<PriceRange> {
        let range = |(step, count): (&u32, &u64)| PriceRange {
            from_minor: price_of(*step),
            to_minor: price_of(*step + 1),
            count: *count,
        };
        self.prices.iter().map(range).collect()
    }

    fn group(&self, prefix: &str) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().filter_map(move |(value, count)| Some((value.strip_prefix(prefix)?, *count)))
    }
}

fn most(mut values: Vec<ValueCount>) -> Vec<ValueCount> {
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(VALUES_MAX);
    values
}

/// Steps of prices: 0, 1, 2, 5, 10, 20, 50, 100 and so on.
fn step(price: u64) -> u32 {
    if price == 0 {
        return 0;
    }
    let tens = price.ilog10();
    let within = match price / 10_u64.pow(tens) {
        1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    tens * 3 + within
}

fn price_of(step: u32) -> u64 {
    let Some(step) = step.checked_sub(1) else { return 0 };
    [1, 2, 5][step as usize % 3] * 10_u64.saturating_pow(step / 3)
}

/// The counts of one segment, by number.
pub(super) struct Tally {
    values: Vec<u32>,
    sizes: Vec<u32>,
    /// The product, plus one, for which each size was counted last: a product counts once.
    sized: Vec<u32>,
    conditions: [u64; 8],
    prices: BTreeMap<u32, u64>,
    in_stock: u64,
    currency: Option<u64>,
}

impl Tally {
    pub(super) fn new(facet: &Option<StrColumn>, offers: &Offers, currency: Option<u64>) -> Self {
        let terms = |column: &Option<StrColumn>| column.as_ref().map_or(0, |column| column.num_terms());
        let sizes = terms(&offers.size);
        Self {
            values: vec![0; terms(facet)],
            sizes: vec![0; sizes],
            sized: vec![0; sizes],
            conditions: [0; 8],
            prices: BTreeMap::new(),
            in_stock: 0,
            currency,
        }
    }

    /// Counts a product under its values; under those of one filter only when that filter alone is in the way.
    pub(super) fn add_product(&mut self, values: &[u64], only: Option<Range<u64>>) {
        for value in values.iter().filter(|value| only.as_ref().is_none_or(|only| only.contains(value))) {
            self.values[*value as usize] += 1;
        }
    }

    /// Counts a product under what its offers are.
    pub(super) fn add_offers(&mut self, doc: DocId, offers: &Offers) {
        let conditions = offers.but(CONDITION).fold(0, |bits: u8, offer| bits | 1 << offer.condition);
        for (condition, count) in self.conditions.iter_mut().enumerate() {
            *count += u64::from(conditions >> condition & 1);
        }
        for offer in offers.but(SIZE) {
            let size = offer.size as usize;
            if self.sized[size] != doc + 1 {
                self.sized[size] = doc + 1;
                self.sizes[size] += 1;
            }
        }
        self.in_stock += u64::from(offers.but(STOCK).any(|offer| offer.in_stock));
        let priced = offers.but(PRICE).filter(|offer| Some(offer.currency) == self.currency);
        let steps = priced.fold(0_u64, |bits, offer| bits | 1 << step(offer.price).min(63));
        for step in (0..64).filter(|step| steps >> step & 1 == 1) {
            *self.prices.entry(step).or_default() += 1;
        }
    }

    pub(super) fn counts(self, facet: &Option<StrColumn>, offers: &Offers) -> tantivy::Result<Counts> {
        let conditions = (0..).zip(self.conditions).filter(|(_, count)| *count > 0).collect();
        Ok(Counts {
            values: named(facet, &self.values)?,
            sizes: named(&offers.size, &self.sizes)?,
            conditions,
            prices: self.prices,
            in_stock: self.in_stock,
        })
    }
}

/// What was counted, by its name.
fn named(column: &Option<StrColumn>, counts: &[u32]) -> tantivy::Result<HashMap<String, u64>> {
    let Some(column) = column else { return Ok(HashMap::new()) };
    let some = || (0_u64..).zip(counts).filter(|(_, count)| **count > 0);
    let ords: Vec<u64> = some().map(|(ord, _)| ord).collect();
    let mut values = some().map(|(_, count)| u64::from(*count));
    let mut named = HashMap::with_capacity(ords.len());
    column.dictionary().sorted_ords_to_term_cb(&ords, |name| {
        named.insert(String::from_utf8_lossy(name).into_owned(), values.next().unwrap_or_default());
    })?;
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_in_the_range_of_its_step() {
        for price in (0..2_000).chain([999_999, 1_000_000, 100_000_000_000]) {
            let step = step(price);
            assert!((price_of(step)..price_of(step + 1)).contains(&price), "{price} in {step}");
        }
    }
}
