//! One pass over the products that have the words: which of them fit the filters, the best of these, and how many there
//! would be under another value of each filter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::columns::Columns;
use super::document::{days_range, facet};
use super::facets::{Sums, Tally};
use super::find::{Filter, Sort, Wanted};
use super::offers::Offers;
use super::words::Words;
use crate::number::Number;
use crate::shown::products::Test;

/// A product's place in the order: what it is sorted by, then its id; the highest first.
pub(crate) type Rank = (i64, u128);

/// What one pass gives.
#[derive(Default)]
pub(crate) struct Pass {
    /// Products that have the words, whatever the filters.
    pub(super) matched: u64,
    /// Those that fit the filters as well.
    pub(super) total: u64,
    /// The best of them after the cursor, the best first.
    pub(super) top: Vec<Rank>,
    pub(super) sums: Option<Sums>,
}

/// A pass to make: what is asked, of which segments.
pub(super) struct Count<'w> {
    pub(super) wanted: &'w Wanted,
    /// Of each segment.
    pub(super) columns: &'w [Arc<Columns>],
}

impl Collector for Count<'_> {
    type Fruit = Pass;
    type Child = Segment;

    fn for_segment(&self, segment: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<Segment> {
        Ok(Segment::open(self.wanted, self.columns[segment as usize].clone()))
    }

    fn requires_scoring(&self) -> bool {
        self.wanted.sort == Sort::Relevance
    }

    fn merge_fruits(&self, passes: Vec<Pass>) -> tantivy::Result<Pass> {
        let mut all = Pass { sums: self.wanted.facets.then(Sums::default), ..Pass::default() };
        for pass in passes {
            all.matched += pass.matched;
            all.total += pass.total;
            all.top.extend(pass.top);
            if let (Some(all), Some(sums)) = (&mut all.sums, pass.sums) {
                all.add(sums);
            }
        }
        all.top.sort_unstable_by_key(|rank| Reverse(*rank));
        all.top.truncate(self.wanted.limit);
        Ok(all)
    }
}

/// The pass over one segment of the index.
pub(crate) struct Segment {
    columns: Arc<Columns>,
    rules: Rules,
    offers: Offers,
    sort: Sort,
    after: Option<Rank>,
    limit: usize,
    matched: u64,
    total: u64,
    top: BinaryHeap<Reverse<Rank>>,
    tally: Option<Tally>,
    /// Whether it matters what the offers of a product are.
    looks_at_offers: bool,
}

impl Segment {
    fn open(wanted: &Wanted, columns: Arc<Columns>) -> Self {
        let offers = Offers::open(columns.clone(), &wanted.filter.offer, wanted.currency);
        let rules = Rules::read(&columns.facet, &wanted.filter);
        let tally =
            wanted.facets.then(|| Tally::new(&columns, offers.are_chosen(), wanted.currency_number()));
        let by_price = matches!(wanted.sort, Sort::PriceLow | Sort::PriceHigh);
        Self {
            looks_at_offers: by_price || offers.are_chosen(),
            columns,
            rules,
            offers,
            sort: wanted.sort,
            after: wanted.after.map(|place| (place.key, place.product.0.as_u128())),
            limit: wanted.limit,
            matched: 0,
            total: 0,
            top: BinaryHeap::new(),
            tally,
        }
    }

    /// What the product is sorted by: the higher, the earlier. One without it comes last.
    fn key(&self, doc: DocId, score: Score) -> i64 {
        match self.sort {
            // Scores are sums of whole numbers: exact.
            Sort::Relevance => score as i64 + self.columns.popularity(doc),
            Sort::Newest => 0,
            Sort::BestRated => self.columns.rating.first(doc).unwrap_or(i64::MIN),
            Sort::Released => self.columns.released.first(doc).unwrap_or(i64::MIN),
            Sort::PriceLow => self.offers.lowest().map_or(i64::MIN, |price| -(price as i64)),
            Sort::PriceHigh => self.offers.lowest().map_or(i64::MIN, |price| price as i64),
        }
    }

    /// Keeps the product if it is among the best.
    fn rank(&mut self, doc: DocId, score: Score) {
        let key = self.key(doc, score);
        let worst = self.top.peek().filter(|_| self.top.len() >= self.limit).map(|Reverse((key, _))| *key);
        if worst.is_some_and(|worst| key < worst) {
            return;
        }
        let rank = (key, self.columns.id(doc));
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        self.top.push(Reverse(rank));
        if self.top.len() > self.limit {
            self.top.pop();
        }
    }
}

impl SegmentCollector for Segment {
    type Fruit = Pass;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.matched += 1;
        let Some(failed) = self.rules.failed(&self.columns, doc) else { return };
        let sold = !self.looks_at_offers || self.offers.look(doc);
        if failed.is_none() && sold {
            self.total += 1;
            self.rank(doc, score);
        }
        if let Some(tally) = &mut self.tally {
            if sold {
                let only = failed.map(|rule| self.rules.rules[rule].group.clone());
                tally.add_product(self.columns.counted.of(doc), only);
            }
            if failed.is_none() {
                tally.add_offers(doc, &self.offers);
            }
        }
    }

    fn harvest(self) -> Pass {
        let sums = self.tally.map(|tally| tally.sums(self.columns));
        let top = self.top.into_iter().map(|Reverse(rank)| rank).collect();
        Pass { matched: self.matched, total: self.total, top, sums }
    }
}

/// What a product must be, apart from its offers.
struct Rules {
    rules: Vec<Rule>,
    /// From one day to another.
    released: Option<(i64, i64)>,
}

/// One filter: of the values in a group, one of those accepted.
struct Rule {
    group: Range<u32>,
    accepted: Vec<u32>,
}

impl Rules {
    fn read(facet: &Words, filter: &Filter) -> Self {
        let mut rules = vec![];
        if !filter.brands.is_empty() {
            let brands = filter.brands.iter().map(|brand| facet::brand(brand));
            rules.push(Rule::prefixes(facet, "b", brands));
        }
        if let Some(category) = filter.category {
            rules.push(Rule::prefixes(facet, "c", [facet::category(category)]));
        }
        for (name, test) in &filter.attributes {
            rules.push(Rule::test(facet, &facet::attribute(name), test));
        }
        let (from, to) = filter.released;
        Self { rules, released: from.or(to).map(|_| days_range(from, to)) }
    }

    /// None: more than one filter does not fit. Otherwise the one that does not.
    fn failed(&self, columns: &Columns, doc: DocId) -> Option<Option<usize>> {
        if let Some((from, to)) = self.released
            && !columns.released.first(doc).is_some_and(|day| (from..=to).contains(&day))
        {
            return None;
        }
        let mut failed = None;
        for (at, rule) in self.rules.iter().enumerate() {
            if columns.counted.of(doc).iter().any(|value| rule.accepted.binary_search(value).is_ok()) {
                continue;
            }
            if failed.is_some() {
                return None;
            }
            failed = Some(at);
        }
        Some(failed)
    }
}

impl Rule {
    /// Any value that begins with one of `prefixes`, in the group of those that begin with `group`.
    fn prefixes(facet: &Words, group: &str, prefixes: impl IntoIterator<Item = String>) -> Self {
        let mut accepted: Vec<u32> =
            prefixes.into_iter().flat_map(|prefix| facet.beginning_with(&prefix)).collect();
        accepted.sort_unstable();
        Self { group: facet.beginning_with(group), accepted }
    }

    fn test(facet: &Words, attribute: &str, test: &Test) -> Self {
        let group = facet.beginning_with(attribute);
        let fits = |value: &str| match test {
            Test::AnyOf(texts) => texts.iter().any(|text| text == value),
            Test::Is(answer) => value == if *answer { "true" } else { "false" },
            Test::Range(min, max) => value.parse::<Number>().is_ok_and(|number| {
                min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
            }),
        };
        let accepted = group.clone().filter(|number| fits(&facet.get(*number)[attribute.len()..])).collect();
        Self { group, accepted }
    }
}
