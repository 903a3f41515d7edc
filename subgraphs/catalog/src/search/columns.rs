//! The columns of a segment as searches read them: opened once, and in memory what every product that is found is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SegmentReader};

use super::document::facet;
use super::fields::{
    FACET, ID_HIGH, ID_LOW, OFFER_FLAGS, OFFER_PRICE, OFFER_SELLER, OFFER_SIZE, POPULARITY, RATING, RELEASED,
};
use super::words::Words;

/// The columns of the segments that searches read. A segment never changes, so its columns stay good as long as it is there.
#[derive(Default)]
pub(super) struct Segments(Mutex<HashMap<SegmentId, Arc<Columns>>>);

impl Segments {
    /// The columns of each segment, in their order.
    pub(super) fn of(&self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<Columns>>> {
        let mut open = self.0.lock().expect("no code panics while it holds this lock");
        let columns = searcher.segment_readers().iter().map(|segment| {
            if let Some(known) = open.get(&segment.segment_id()) {
                return Ok(known.clone());
            }
            let columns = Arc::new(Columns::open(segment)?);
            open.insert(segment.segment_id(), columns.clone());
            Ok(columns)
        });
        columns.collect()
    }

    /// Opens the columns of a new state of the index and lets go of those that it has no more.
    pub(super) fn turn_to(&self, searcher: &Searcher) -> tantivy::Result<()> {
        self.of(searcher)?;
        let is_there = |id: &SegmentId| searcher.segment_readers().iter().any(|it| it.segment_id() == *id);
        let mut open = self.0.lock().expect("no code panics while it holds this lock");
        open.retain(|id, _| is_there(id));
        Ok(())
    }
}

/// The columns of one segment.
pub(super) struct Columns {
    pub(super) id_high: Column<u64>,
    pub(super) id_low: Column<u64>,
    pub(super) rating: Column<i64>,
    pub(super) released: Column<i64>,
    /// By document.
    pub(super) popularity: Vec<u16>,
    /// What each product counts for, as numbers of `facet`.
    pub(super) counted: Grouped<u32>,
    pub(super) facet: Words,
    /// Values of `facet` from this one on are what offers are.
    pub(super) of_offers: u32,
    /// The offers of each product, in their order.
    pub(super) offers: Grouped<Sold>,
    pub(super) size: Words,
    pub(super) seller: Words,
}

/// An offer as the columns hold it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sold {
    pub(super) price: u64,
    pub(super) flags: u64,
    pub(super) size: u32,
    pub(super) seller: u32,
}

impl Columns {
    fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let (columns, docs) = (segment.fast_fields(), segment.max_doc());
        let numbers = |name| -> tantivy::Result<Column<u64>> {
            Ok(columns.column_opt(name)?.unwrap_or_else(|| Column::build_empty_column(docs)))
        };
        let signed = |name| -> tantivy::Result<Column<i64>> {
            Ok(columns.column_opt(name)?.unwrap_or_else(|| Column::build_empty_column(docs)))
        };
        let facets = columns.str(FACET)?;
        let facet = Words::read(facets.as_ref())?;
        let (sizes, sellers) = (columns.str(OFFER_SIZE)?, columns.str(OFFER_SELLER)?);
        let popularity = numbers(POPULARITY)?;
        let known = |doc| popularity.first(doc).map_or(0, |known| u16::try_from(known).unwrap_or(u16::MAX));
        Ok(Self {
            id_high: numbers(ID_HIGH)?,
            id_low: numbers(ID_LOW)?,
            rating: signed(RATING)?,
            released: signed(RELEASED)?,
            popularity: (0..docs).map(known).collect(),
            counted: Grouped::read(docs, |doc, values| values.extend(word_numbers(facets.as_ref(), doc))),
            of_offers: facet.beginning_with(facet::OF_OFFERS).start,
            facet,
            offers: offers(docs, &numbers(OFFER_PRICE)?, &numbers(OFFER_FLAGS)?, &sizes, &sellers),
            size: Words::read(sizes.as_ref())?,
            seller: Words::read(sellers.as_ref())?,
        })
    }

    /// The id of the product, as a number.
    pub(super) fn id(&self, doc: DocId) -> u128 {
        let half = |column: &Column<u64>| u128::from(column.first(doc).unwrap_or_default());
        half(&self.id_high) << 64 | half(&self.id_low)
    }

    pub(super) fn popularity(&self, doc: DocId) -> i64 {
        self.popularity.get(doc as usize).map_or(0, |known| i64::from(*known))
    }
}

fn offers(
    docs: DocId,
    price: &Column<u64>,
    flags: &Column<u64>,
    size: &Option<StrColumn>,
    seller: &Option<StrColumn>,
) -> Grouped<Sold> {
    Grouped::read(docs, |doc, offers| {
        let numbers = price.values_for_doc(doc).zip(flags.values_for_doc(doc));
        let words = word_numbers(size.as_ref(), doc).zip(word_numbers(seller.as_ref(), doc));
        let sold =
            numbers.zip(words).map(|((price, flags), (size, seller))| Sold { price, flags, size, seller });
        offers.extend(sold);
    })
}

/// The numbers of a document's words, in their order.
fn word_numbers(column: Option<&StrColumn>, doc: DocId) -> impl Iterator<Item = u32> {
    column.into_iter().flat_map(move |column| column.term_ords(doc)).map(|number| number as u32)
}

/// Any number of values for each document.
pub(super) struct Grouped<T> {
    /// Where the values of each document begin, and where the last ones end.
    starts: Vec<u32>,
    values: Vec<T>,
}

impl<T> Grouped<T> {
    fn read(docs: DocId, add_values: impl Fn(DocId, &mut Vec<T>)) -> Self {
        let (mut starts, mut values) = (Vec::with_capacity(docs as usize + 1), vec![]);
        starts.push(0);
        for doc in 0..docs {
            add_values(doc, &mut values);
            starts.push(
                u32::try_from(values.len()).expect("a segment has fewer values than a column can number"),
            );
        }
        values.shrink_to_fit();
        Self { starts, values }
    }

    pub(super) fn of(&self, doc: DocId) -> &[T] {
        &self.values[self.starts[doc as usize] as usize..self.starts[doc as usize + 1] as usize]
    }
}
