//! Suggestions while somebody types: titles of the products that would be found.

use std::sync::Arc;

use contract::ProductId;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::schema::{Field, Value};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader, TantivyDocument};
use uuid::Uuid;

use super::ask::{Ask, Care};
use super::columns::Columns;
use super::find::more_lenient;
use super::index::{Reading, Seen};

/// Titles that are read for each one that is shown: some are alike.
const SPARE: usize = 2;

/// A title that fits what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggested {
    pub(crate) title: String,
    pub(crate) product: ProductId,
}

/// At most `first` titles, the best first.
pub(super) fn suggest(reading: &Reading, prefix: String, first: usize) -> tantivy::Result<Arc<[Suggested]>> {
    let seen = reading.look()?;
    let suggested: Arc<[Suggested]> = suggest_in(&seen, &prefix, first)?.into();
    reading.known.suggested.keep(seen.generation(), (prefix, first), suggested.clone());
    Ok(suggested)
}

fn suggest_in(seen: &Seen, prefix: &str, first: usize) -> tantivy::Result<Vec<Suggested>> {
    let ask = Ask::read(prefix);
    if ask.is_empty() {
        return Ok(vec![]);
    }
    let all = Best { limit: first * SPARE, columns: &seen.columns };
    let mut care = Care::Exact;
    loop {
        let best = seen.searcher.search(&*ask.query(&seen.fields, care), &all)?;
        if !best.is_empty() || care == Care::TYPOS {
            return titles(seen, best, first);
        }
        let Some(next) = more_lenient(seen, &ask, care)? else { return Ok(vec![]) };
        care = next;
    }
}

/// The titles of the best, each once.
fn titles(seen: &Seen, best: Vec<Ranked>, first: usize) -> tantivy::Result<Vec<Suggested>> {
    let mut suggested: Vec<Suggested> = vec![];
    for (_, address) in best {
        if suggested.len() == first {
            break;
        }
        let document: TantivyDocument = seen.searcher.doc(address)?;
        let title = stored(&document, seen.fields.shown);
        if suggested.iter().all(|other| other.title != title) {
            let id = Uuid::try_parse(stored(&document, seen.fields.id)).unwrap_or_default();
            suggested.push(Suggested { title: title.to_owned(), product: ProductId(id) });
        }
    }
    Ok(suggested)
}

pub(super) fn stored(document: &TantivyDocument, field: Field) -> &str {
    document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default()
}

/// The products with the highest scores.
pub(super) struct Best<'s> {
    pub(super) limit: usize,
    /// Of each segment.
    pub(super) columns: &'s [Arc<Columns>],
}

pub(super) type Ranked = (i64, DocAddress);

impl Collector for Best<'_> {
    type Fruit = Vec<Ranked>;
    type Child = BestOf;

    fn for_segment(&self, segment: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<BestOf> {
        let columns = self.columns[segment as usize].clone();
        Ok(BestOf { segment, columns, limit: self.limit, best: vec![], least: i64::MIN })
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
    columns: Arc<Columns>,
    limit: usize,
    best: Vec<Ranked>,
    /// Nothing below it is among the best.
    least: i64,
}

impl SegmentCollector for BestOf {
    type Fruit = Vec<Ranked>;

    fn collect(&mut self, doc: DocId, score: Score) {
        let rank = score as i64 + self.columns.popularity(doc);
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
