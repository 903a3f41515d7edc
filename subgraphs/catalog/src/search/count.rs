//! One pass over the products that have the words: which of them fit the filters, the best of these, and how many there
//! would be under another value of each filter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::document::{days_range, facet};
use super::facets::{Sums, Tally};
use super::fields::{FACET, ID_HIGH, ID_LOW, POPULARITY, RATING, RELEASED};
use super::find::{Filter, Sort, Wanted};
use super::offers::Offers;
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

impl Collector for Wanted {
    type Fruit = Pass;
    type Child = Segment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Segment> {
        Segment::open(self, segment)
    }

    fn requires_scoring(&self) -> bool {
        self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, passes: Vec<tantivy::Result<Pass>>) -> tantivy::Result<Pass> {
        let mut all = Pass { sums: self.facets.then(Sums::default), ..Pass::default() };
        for pass in passes {
            let pass = pass?;
            all.matched += pass.matched;
            all.total += pass.total;
            all.top.extend(pass.top);
            if let (Some(all), Some(sums)) = (&mut all.sums, pass.sums) {
                all.add(sums);
            }
        }
        all.top.sort_unstable_by_key(|rank| Reverse(*rank));
        all.top.truncate(self.limit);
        Ok(all)
    }
}

/// The pass over one segment of the index.
pub(crate) struct Segment {
    rules: Rules,
    offers: Offers,
    order: Order,
    id_high: Column<u64>,
    id_low: Column<u64>,
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
    fn open(wanted: &Wanted, segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        let offers = Offers::open(segment, &wanted.filter.offer, wanted.currency)?;
        let rules = Rules::open(segment, &wanted.filter)?;
        let tally = match wanted.facets {
            true => Some(Tally::new(&rules.facet, &offers, wanted.currency_number())?),
            false => None,
        };
        let by_price = matches!(wanted.sort, Sort::PriceLow | Sort::PriceHigh);
        Ok(Self {
            looks_at_offers: by_price || offers.are_chosen(),
            rules,
            offers,
            order: Order::open(segment, wanted.sort)?,
            id_high: columns.u64(ID_HIGH)?,
            id_low: columns.u64(ID_LOW)?,
            after: wanted.after.map(|place| (place.key, place.product.0.as_u128())),
            limit: wanted.limit,
            matched: 0,
            total: 0,
            top: BinaryHeap::new(),
            tally,
        })
    }

    /// Keeps the product if it is among the best.
    fn rank(&mut self, doc: DocId, score: Score) {
        let key = self.order.key(doc, score, &self.offers);
        let worst = self.top.peek().filter(|_| self.top.len() >= self.limit).map(|Reverse((key, _))| *key);
        if worst.is_some_and(|worst| key < worst) {
            return;
        }
        let id = |column: &Column<u64>| u128::from(column.first(doc).unwrap_or_default());
        let rank = (key, id(&self.id_high) << 64 | id(&self.id_low));
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
    type Fruit = tantivy::Result<Pass>;

    fn collect(&mut self, doc: DocId, score: Score) {
        self.matched += 1;
        let Some(failed) = self.rules.failed(doc) else { return };
        let sold = !self.looks_at_offers || self.offers.look(doc);
        if failed.is_none() && sold {
            self.total += 1;
            self.rank(doc, score);
        }
        if let Some(tally) = &mut self.tally {
            if sold {
                tally
                    .add_product(&self.rules.values, failed.map(|rule| self.rules.rules[rule].group.clone()));
            }
            if failed.is_none() {
                tally.add_offers(doc, &self.offers);
            }
        }
    }

    fn harvest(self) -> tantivy::Result<Pass> {
        let sums = match self.tally {
            Some(tally) => Some(tally.sums(&self.rules.facet, &self.offers)?),
            None => None,
        };
        let top = self.top.into_iter().map(|Reverse(rank)| rank).collect();
        Ok(Pass { matched: self.matched, total: self.total, top, sums })
    }
}

/// What a product must be, apart from its offers.
struct Rules {
    facet: Option<StrColumn>,
    rules: Vec<Rule>,
    released: Option<(Column<i64>, i64, i64)>,
    /// The values of the product that was looked at last.
    values: Vec<u64>,
}

/// One filter: of the values in a group, one of those accepted.
struct Rule {
    group: std::ops::Range<u64>,
    accepted: Vec<u64>,
}

impl Rules {
    fn open(segment: &SegmentReader, filter: &Filter) -> tantivy::Result<Self> {
        let facet = segment.fast_fields().str(FACET)?;
        let mut rules = vec![];
        if !filter.brands.is_empty() {
            let brands = filter.brands.iter().map(|brand| facet::brand(brand));
            rules.push(Rule::prefixes(&facet, "b", brands)?);
        }
        if let Some(category) = filter.category {
            rules.push(Rule::prefixes(&facet, "c", [facet::category(category)])?);
        }
        for (name, test) in &filter.attributes {
            rules.push(Rule::test(&facet, &facet::attribute(name), test)?);
        }
        let (from, to) = filter.released;
        let released = match from.or(to) {
            Some(_) => {
                let (from, to) = days_range(from, to);
                Some((segment.fast_fields().i64(RELEASED)?, from, to))
            }
            None => None,
        };
        Ok(Self { facet, rules, released, values: vec![] })
    }

    /// None: more than one filter does not fit. Otherwise the one that does not.
    fn failed(&mut self, doc: DocId) -> Option<Option<usize>> {
        if let Some((column, from, to)) = &self.released
            && !column.first(doc).is_some_and(|day| (*from..=*to).contains(&day))
        {
            return None;
        }
        self.values.clear();
        if let Some(column) = &self.facet {
            self.values.extend(column.term_ords(doc));
        }
        let mut failed = None;
        for (at, rule) in self.rules.iter().enumerate() {
            if self.values.iter().any(|value| rule.accepted.binary_search(value).is_ok()) {
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
    fn prefixes(
        facet: &Option<StrColumn>,
        group: &str,
        prefixes: impl IntoIterator<Item = String>,
    ) -> tantivy::Result<Self> {
        let group = range(facet, group)?;
        let mut accepted = vec![];
        for prefix in prefixes {
            accepted.extend(range(facet, &prefix)?);
        }
        accepted.sort_unstable();
        Ok(Self { group, accepted })
    }

    fn test(facet: &Option<StrColumn>, attribute: &str, test: &Test) -> tantivy::Result<Self> {
        let group = range(facet, attribute)?;
        let fits = |value: &str| match test {
            Test::AnyOf(texts) => texts.iter().any(|text| text == value),
            Test::Is(answer) => value == if *answer { "true" } else { "false" },
            Test::Range(min, max) => value.parse::<Number>().is_ok_and(|number| {
                min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
            }),
        };
        let mut accepted = vec![];
        if let Some(column) = facet {
            let mut ords = group.clone();
            let all: Vec<u64> = group.clone().collect();
            column.dictionary().sorted_ords_to_term_cb(&all, |term| {
                let ord = ords.next();
                let value = std::str::from_utf8(term.get(attribute.len()..).unwrap_or_default());
                accepted.extend(ord.filter(|_| value.is_ok_and(fits)));
            })?;
        }
        Ok(Self { group, accepted })
    }
}

/// The values that begin with `prefix`.
pub(super) fn range(column: &Option<StrColumn>, prefix: &str) -> tantivy::Result<std::ops::Range<u64>> {
    let Some(column) = column else { return Ok(0..0) };
    let dictionary = column.dictionary();
    let place = |key: &[u8]| -> tantivy::Result<u64> {
        use tantivy::columnar::TermOrdHit;
        let (TermOrdHit::Exact(ord) | TermOrdHit::Next(ord)) = dictionary.term_ord_or_next(key)?;
        Ok(ord.min(dictionary.num_terms() as u64))
    };
    let mut end = prefix.as_bytes().to_vec();
    // Prefixes end with a letter or a NUL: there is a next byte.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    Ok(place(prefix.as_bytes())?..place(&end)?)
}

/// What products are sorted by.
enum Order {
    Relevance(Column<u64>),
    Newest,
    Column(Column<i64>),
    PriceLow,
    PriceHigh,
}

impl Order {
    fn open(segment: &SegmentReader, sort: Sort) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(match sort {
            Sort::Relevance => Self::Relevance(columns.u64(POPULARITY)?),
            Sort::Newest => Self::Newest,
            Sort::BestRated => Self::Column(columns.i64(RATING)?),
            Sort::Released => Self::Column(columns.i64(RELEASED)?),
            Sort::PriceLow => Self::PriceLow,
            Sort::PriceHigh => Self::PriceHigh,
        })
    }

    /// The higher, the earlier. A product without what it is sorted by comes last.
    fn key(&self, doc: DocId, score: Score, offers: &Offers) -> i64 {
        match self {
            // Scores are sums of whole numbers: exact.
            Self::Relevance(popularity) => score as i64 + popularity.first(doc).unwrap_or_default() as i64,
            Self::Newest => 0,
            Self::Column(column) => column.first(doc).unwrap_or(i64::MIN),
            Self::PriceLow => offers.lowest().map_or(i64::MIN, |price| -(price as i64)),
            Self::PriceHigh => offers.lowest().map_or(i64::MIN, |price| price as i64),
        }
    }
}
