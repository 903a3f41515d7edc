//! Facets: how many products there are under each value, with every filter but the facet's own.

use std::collections::HashMap;
use std::ops::Range;

use contract::CategoryId;
use entity::catalog::Condition;
use tantivy::DocId;
use uuid::Uuid;

use super::columns::{Columns, Words};
use super::document::condition_of;
use super::document::facet::{self, Facet};
use super::offers::{CONDITION, Offer, Offers, PRICE, SIZE, STOCK};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// As they show.
    pub(crate) brands: Vec<ValueCount>,
    pub(crate) categories: Vec<CategoryCount>,
    /// By the names of attributes.
    attributes: HashMap<String, Vec<ValueCount>>,
    pub(crate) sizes: Vec<ValueCount>,
    /// From new to worn.
    pub(crate) conditions: Vec<(Condition, u64)>,
    /// From low to high.
    pub(crate) prices: Vec<PriceRange>,
    pub(crate) in_stock: u64,
}

impl Counts {
    /// Values of an attribute, those with the most products first.
    pub(crate) fn attribute(&self, name: &str) -> &[ValueCount] {
        self.attributes.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What was counted in all segments so far, by what the column of values holds.
#[derive(Debug, Default)]
pub(super) struct Sums(HashMap<String, u64>);

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        match self.0.is_empty() {
            true => *self = other,
            false => {
                other.0.into_iter().for_each(|(value, count)| *self.0.entry(value).or_default() += count);
            }
        }
    }

    /// What is shown of it: of each facet the values with the most products.
    pub(super) fn counts(self, currency: Option<u64>) -> Counts {
        let mut facets: HashMap<Facet<'_>, Vec<(&str, u64)>> = HashMap::new();
        for (counted, count) in &self.0 {
            if let Some((facet, value)) = facet::split(counted) {
                facets.entry(facet).or_default().push((value, *count));
            }
        }
        let mut take = |facet| facets.remove(&facet).unwrap_or_default();
        let category = |counted: ValueCount| {
            Some(CategoryCount {
                id: CategoryId(Uuid::try_parse(&counted.value).ok()?),
                count: counted.count,
            })
        };
        let mut counts = Counts {
            brands: most(brands(take(Facet::Brand))),
            categories: most(take(Facet::Category)).into_iter().filter_map(category).collect(),
            attributes: HashMap::new(),
            sizes: most(take(Facet::Size)),
            conditions: conditions(take(Facet::Condition)),
            prices: currency.map(|currency| prices(take(Facet::Price), currency)).unwrap_or_default(),
            in_stock: take(Facet::InStock).iter().map(|(_, count)| count).sum(),
        };
        for (facet, values) in facets {
            if let Facet::Attribute(name) = facet {
                counts.attributes.insert(name.to_owned(), most(values));
            }
        }
        counts
    }
}

/// One brand in different case is one brand.
fn brands(counted: Vec<(&str, u64)>) -> Vec<(&str, u64)> {
    let mut brands: HashMap<&str, (&str, u64)> = HashMap::new();
    for (value, count) in counted {
        let Some((key, shown)) = value.split_once('\0') else { continue };
        let brand = brands.entry(key).or_insert((shown, 0));
        *brand = (brand.0.min(shown), brand.1 + count);
    }
    brands.into_values().collect()
}

fn conditions(counted: Vec<(&str, u64)>) -> Vec<(Condition, u64)> {
    let numbered =
        counted.into_iter().filter_map(|(number, count)| Some((number.parse::<u64>().ok()?, count)));
    let mut conditions: Vec<(u64, u64)> = numbered.collect();
    conditions.sort_unstable();
    conditions.into_iter().map(|(number, count)| (condition_of(number), count)).collect()
}

fn prices(counted: Vec<(&str, u64)>, currency: u64) -> Vec<PriceRange> {
    let currency = currency.to_string();
    let stepped = counted.into_iter().filter_map(|(value, count)| {
        let (of, step) = value.split_once('\0')?;
        (of == currency).then_some((step.parse::<u32>().ok()?, count))
    });
    let mut steps: Vec<(u32, u64)> = stepped.collect();
    steps.sort_unstable();
    steps.into_iter().map(|(step, count)| price_range(step, count)).collect()
}

fn price_range(step: u32, count: u64) -> PriceRange {
    PriceRange { from_minor: price_of(step), to_minor: price_of(step + 1), count }
}

/// The values with the most products, those first.
fn most(mut values: Vec<(&str, u64)>) -> Vec<ValueCount> {
    let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    if values.len() > VALUES_MAX {
        values.select_nth_unstable_by(VALUES_MAX, order);
        values.truncate(VALUES_MAX);
    }
    values.sort_unstable_by(order);
    values.into_iter().map(|(value, count)| ValueCount { value: value.into(), count }).collect()
}

/// Steps of prices: 0, 1, 2, 5, 10, 20, 50, 100 and so on.
pub(super) fn step(price: u64) -> u32 {
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
    /// Values from this one on are not counted product by product.
    end: u32,
    /// Under filters of offers: their values as the offers that fit have them.
    offers: Option<OfferTally>,
}

/// What offers are, counted offer by offer.
struct OfferTally {
    sizes: Vec<u32>,
    /// The product, plus one, for which each size was counted last: a product counts once.
    sized: Vec<u32>,
    conditions: [u32; 8],
    prices: [u32; 64],
    in_stock: u32,
    currency: Option<u64>,
}

impl Tally {
    pub(super) fn new(columns: &Columns, offers_are_chosen: bool, currency: Option<u64>) -> Self {
        let by_offers = || OfferTally {
            sizes: vec![0; columns.size.count()],
            sized: vec![0; columns.size.count()],
            conditions: [0; 8],
            prices: [0; 64],
            in_stock: 0,
            currency,
        };
        Self {
            values: vec![0; columns.facet.count()],
            end: if offers_are_chosen { columns.of_offers } else { u32::MAX },
            offers: offers_are_chosen.then(by_offers),
        }
    }

    /// Counts a product under its values; under those of one filter only when that filter alone is in the way.
    pub(super) fn add_product(&mut self, values: &[u32], only: Option<Range<u32>>) {
        let counted = only.unwrap_or(0..self.end);
        for value in values.iter().filter(|value| counted.contains(value)) {
            self.values[*value as usize] += 1;
        }
    }

    /// Counts a product under what its offers are.
    pub(super) fn add_offers(&mut self, doc: DocId, offers: &Offers) {
        if let Some(tally) = &mut self.offers {
            tally.add(doc, offers);
        }
    }

    pub(super) fn sums(self, columns: &Columns) -> tantivy::Result<Sums> {
        let mut sums = named(&columns.facet, &self.values, str::to_owned)?;
        if let Some(tally) = self.offers {
            let sizes = named(&columns.size, &tally.sizes, facet::size)?;
            sums.extend(sizes.into_iter().filter(|(size, _)| size.len() > 1));
            sums.extend(tally.numbered());
        }
        Ok(Sums(sums))
    }
}

impl OfferTally {
    fn add(&mut self, doc: DocId, offers: &Offers) {
        let bits = |bits: u8, offer: &Offer| bits | 1 << offer.condition;
        let conditions = offers.but(CONDITION).fold(0, bits) & !offers.against(CONDITION).fold(0, bits);
        for (condition, count) in self.conditions.iter_mut().enumerate() {
            *count += u32::from(conditions >> condition & 1);
        }
        for offer in offers.against(SIZE) {
            self.sized[offer.size as usize] = doc + 1;
        }
        for offer in offers.but(SIZE) {
            let size = offer.size as usize;
            if self.sized[size] != doc + 1 {
                self.sized[size] = doc + 1;
                self.sizes[size] += 1;
            }
        }
        self.in_stock += u32::from(offers.but(STOCK).any(|offer| offer.in_stock));
        let priced = |offer: &&Offer| Some(offer.currency) == self.currency;
        let bits = |bits: u64, offer: &Offer| bits | 1 << step(offer.price).min(63);
        let steps = offers.but(PRICE).filter(priced).fold(0, bits)
            & !offers.against(PRICE).filter(priced).fold(0, bits);
        for (step, count) in self.prices.iter_mut().enumerate() {
            *count += (steps >> step & 1) as u32;
        }
    }

    /// What is not counted by size, by what the column of values would hold.
    fn numbered(self) -> impl Iterator<Item = (String, u64)> {
        let conditions = (0..).zip(self.conditions).map(|(number, count)| (facet::condition(number), count));
        let currency = self.currency.unwrap_or_default();
        let prices = (0..).zip(self.prices).map(move |(step, count)| (facet::price(currency, step), count));
        let in_stock = (facet::IN_STOCK.to_owned(), self.in_stock);
        let all = conditions.chain(prices).chain([in_stock]);
        all.filter(|(_, count)| *count > 0).map(|(value, count)| (value, u64::from(count)))
    }
}

/// What was counted, by its name.
fn named(
    words: &Words,
    counts: &[u32],
    name_of: impl Fn(&str) -> String,
) -> tantivy::Result<HashMap<String, u64>> {
    let numbers: Vec<u32> =
        (0..).zip(counts).filter(|(_, count)| **count > 0).map(|(number, _)| number).collect();
    let mut named = HashMap::with_capacity(numbers.len());
    words.each(&numbers, |number, word| {
        named.insert(name_of(word), u64::from(counts[number as usize]));
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
