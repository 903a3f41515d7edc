//! Facets: how many products there are under each value, with every filter but the facet's own.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use contract::CategoryId;
use entity::catalog::Condition;
use tantivy::DocId;
use uuid::Uuid;

use super::columns::Columns;
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

/// What was counted, segment by segment.
#[derive(Default)]
pub(super) struct Sums(Vec<Part>);

/// What was counted of one segment.
struct Part {
    columns: Arc<Columns>,
    /// Words of the column of values by number, and how many products there are; in the order of the words.
    values: Vec<(u32, u32)>,
    /// What was counted by offers, by what the column would hold.
    of_offers: Vec<(String, u32)>,
}

impl Part {
    fn counted(&self) -> impl Iterator<Item = (&str, u64)> {
        let values = self.values.iter().map(|(number, count)| (self.columns.facet.get(*number), *count));
        let of_offers = self.of_offers.iter().map(|(value, count)| (value.as_str(), *count));
        values.chain(of_offers).map(|(value, count)| (value, u64::from(count)))
    }
}

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What is shown of it: of each facet the values with the most products.
    pub(super) fn counts(self, currency: Option<u64>) -> Counts {
        let all = self.added_up();
        let mut facets: HashMap<Facet<'_>, Vec<(&str, u64)>> = HashMap::new();
        for values in all.chunk_by(|(a, ..), (b, ..)| a == b) {
            facets.insert(values[0].0, values.iter().map(|(_, value, count)| (*value, *count)).collect());
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

    /// The values of all segments, each once, those of a facet together.
    fn added_up(&self) -> Vec<(Facet<'_>, &str, u64)> {
        let mut counted: Vec<(&str, u64)> = self.0.iter().flat_map(Part::counted).collect();
        // A stable sort finds that each segment's are in order, and merges them.
        counted.sort_by_key(|(value, _)| *value);
        counted.dedup_by(|(value, count), (kept, sum)| {
            let is_same = value == kept;
            *sum += if is_same { *count } else { 0 };
            is_same
        });
        let split = |(counted, count)| facet::split(counted).map(|(facet, value)| (facet, value, count));
        counted.into_iter().filter_map(split).collect()
    }
}

/// One brand in different case is one brand. `counted` is in order, so those of one are together.
fn brands<'v>(counted: Vec<(&'v str, u64)>) -> Vec<(&'v str, u64)> {
    let mut brands: Vec<(&'v str, &'v str, u64)> = vec![];
    for (value, count) in counted {
        match (brands.last_mut(), value.split_once('\0')) {
            (Some((brand, _, sum)), Some((key, _))) if *brand == key => *sum += count,
            (_, Some((key, shown))) => brands.push((key, shown, count)),
            (_, None) => {}
        }
    }
    brands.into_iter().map(|(_, shown, count)| (shown, count)).collect()
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

    pub(super) fn sums(self, columns: Arc<Columns>) -> Sums {
        let of_offers = self.offers.map(|offers| offers.named(&columns)).unwrap_or_default();
        Sums(vec![Part { values: above_none(self.values).collect(), of_offers, columns }])
    }
}

/// What was counted at all, by its number.
fn above_none(counts: Vec<u32>) -> impl Iterator<Item = (u32, u32)> {
    (0..).zip(counts).filter(|(_, count)| *count > 0)
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

    /// What was counted, by what the column of values would hold.
    fn named(self, columns: &Columns) -> Vec<(String, u32)> {
        let sizes = above_none(self.sizes).map(|(number, count)| (columns.size.get(number), count));
        let sizes =
            sizes.filter(|(size, _)| !size.is_empty()).map(|(size, count)| (facet::size(size), count));
        let conditions = (0..).zip(self.conditions).map(|(number, count)| (facet::condition(number), count));
        let currency = self.currency.unwrap_or_default();
        let prices = (0..).zip(self.prices).map(|(step, count)| (facet::price(currency, step), count));
        let in_stock = (facet::IN_STOCK.to_owned(), self.in_stock);
        let all = sizes.chain(conditions).chain(prices).chain([in_stock]);
        all.filter(|(_, count)| *count > 0).collect()
    }
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
