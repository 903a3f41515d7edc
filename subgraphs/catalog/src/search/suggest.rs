//! Suggestions while somebody types: titles of the products that would be found.

use contract::ProductId;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::schema::{Field, Value};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader, TantivyDocument};
use uuid::Uuid;

use super::ask::{Ask, Care};
use super::fields::POPULARITY;
use super::index::Reading;

/// Titles that are read for each one that is shown: some are alike.
const SPARE: usize = 2;

/// A title that fits what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggested {
    pub(crate) title: String,
    pub(crate) product: ProductId,
}

/// At most `first` titles, the best first.
pub(super) fn suggest(reading: &Reading, prefix: &str, first: usize) -> tantivy::Result<Vec<Suggested>> {
    let (searcher, ask) = (reading.searcher(), Ask::read(prefix));
    if ask.is_empty() {
        return Ok(vec![]);
    }
    let mut suggested: Vec<Suggested> = vec![];
    for care in [Care::Exact, Care::Typos] {
        let best = searcher.search(&*ask.query(&reading.fields, care), &Best { limit: first * SPARE })?;
        for (_, address) in best {
            let document: TantivyDocument = searcher.doc(address)?;
            let title = stored(&document, reading.fields.shown).to_owned();
            let product =
                ProductId(Uuid::try_parse(stored(&document, reading.fields.id)).unwrap_or_default());
            if suggested.len() < first && suggested.iter().all(|other| other.title != title) {
                suggested.push(Suggested { title, product });
            }
        }
        if !suggested.is_empty() {
            break;
        }
    }
    Ok(suggested)
}

pub(super) fn stored(document: &TantivyDocument, field: Field) -> &str {
    document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default()
}

/// The products with the highest scores.
pub(super) struct Best {
    pub(super) limit: usize,
}

pub(super) type Ranked = (i64, DocAddress);

impl Collector for Best {
    type Fruit = Vec<Ranked>;
    type Child = BestOf;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<BestOf> {
        let popularity = reader.fast_fields().u64(POPULARITY)?;
        Ok(BestOf { segment, popularity, limit: self.limit, best: vec![], least: i64::MIN })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, all: Vec<Vec<Ranked>>) -> tantivy::Result<Vec<Ranked>> {
        let mut best: Vec<Ranked> = all.into_iter().flatten().collect();
        sort(&mut best, self.limit);
        Ok(best)
    }
}

/// The best of one segment.
pub(super) struct BestOf {
    segment: SegmentOrdinal,
    popularity: Column<u64>,
    limit: usize,
    best: Vec<Ranked>,
    /// Nothing below it is among the best.
    least: i64,
}

impl SegmentCollector for BestOf {
    type Fruit = Vec<Ranked>;

    fn collect(&mut self, doc: DocId, score: Score) {
        let rank = score as i64 + self.popularity.first(doc).unwrap_or_default() as i64;
        if rank < self.least {
            return;
        }
        self.best.push((rank, DocAddress::new(self.segment, doc)));
        if self.best.len() >= self.limit * 8 {
            sort(&mut self.best, self.limit);
            self.least = self.best.last().map_or(i64::MIN, |(rank, _)| *rank);
        }
    }

    fn harvest(mut self) -> Vec<Ranked> {
        sort(&mut self.best, self.limit);
        self.best
    }
}

fn sort(best: &mut Vec<Ranked>, limit: usize) {
    best.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    best.truncate(limit);
}
