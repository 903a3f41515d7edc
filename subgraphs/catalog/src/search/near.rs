//! Words like one that was typed: begun like it, or a few edits away.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::query::{
    AutomatonWeight, BitSetDocSet, ConstScorer, DfaWrapper, EnableScoring, Explanation, FuzzyTermQuery,
    Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, Score, SegmentReader};

use super::ask::key;

/// Edits for which words are looked up, at most.
const EDITS_MAX: usize = 2;

/// A word as it was typed. What finds words like it is made once, for all fields.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    text: String,
    /// By the number of edits, less one.
    near: [OnceLock<Alike>; EDITS_MAX],
    begun: OnceLock<Alike>,
}

impl Typed {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), near: Default::default(), begun: OnceLock::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn letters(&self) -> usize {
        self.text.chars().count()
    }

    pub(super) fn is_number(&self) -> bool {
        self.text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    }

    /// Words that are at most 1 or 2 edits away.
    pub(super) fn near(&self, edits: u8) -> &Alike {
        self.near[usize::from(edits) - 1]
            .get_or_init(|| Alike::new(|word| FuzzyTermQuery::new(word, edits, true), &self.text))
    }

    /// Words that begin with it.
    pub(super) fn begun(&self) -> &Alike {
        self.begun.get_or_init(|| Alike::new(|word| FuzzyTermQuery::new_prefix(word, 0, false), &self.text))
    }
}

/// Tells the words of a kind from others, letter by letter, and remembers where it found some.
#[derive(Clone)]
pub(super) struct Alike(Arc<Kind>);

struct Kind {
    letters: Arc<DfaWrapper>,
    /// By segment and field: what was typed is looked for several times, more leniently each time.
    found: Mutex<HashMap<(SegmentId, Field), Words>>,
}

/// The words of one kind in one field of one segment.
type Words = Arc<[TermInfo]>;

impl Alike {
    fn new(query: impl FnOnce(tantivy::Term) -> FuzzyTermQuery, word: &str) -> Self {
        // The letters are all that counts of the term.
        let query = query(key(Field::from_field_id(0), word));
        let letters = query.automaton().expect("the term is a text, and the edits are few");
        Self(Arc::new(Kind { letters: Arc::new(letters), found: Mutex::default() }))
    }

    /// For a look into the words of a field.
    pub(super) fn automaton(&self) -> &DfaWrapper {
        &self.0.letters
    }

    /// The products with such a word in `field`.
    pub(super) fn within(&self, field: Field) -> Within {
        Within { field, alike: self.clone() }
    }

    fn words(&self, segment: &SegmentReader, field: Field) -> tantivy::Result<Words> {
        let place = (segment.segment_id(), field);
        if let Some(known) = self.found().get(&place) {
            return Ok(known.clone());
        }
        let look = AutomatonWeight::<DfaWrapper>::new(field, self.0.letters.clone());
        let words: Words = look.get_match_term_infos(segment)?.into();
        self.found().insert(place, words.clone());
        Ok(words)
    }

    fn found(&self) -> std::sync::MutexGuard<'_, HashMap<(SegmentId, Field), Words>> {
        self.0.found.lock().expect("no code panics while it holds this lock")
    }
}

impl fmt::Debug for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alike")
    }
}

/// Finds the products with a word of a kind in a field.
#[derive(Clone, Debug)]
pub(super) struct Within {
    field: Field,
    alike: Alike,
}

impl Query for Within {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for Within {
    fn scorer(&self, segment: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let index = segment.inverted_index(self.field)?;
        let mut docs = BitSet::with_max_value(segment.max_doc());
        for word in self.alike.words(segment, self.field)?.iter() {
            let mut postings = index.read_block_postings_from_terminfo(word, IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                for doc in postings.docs() {
                    docs.insert(*doc);
                }
                postings.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(docs), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("a word of a kind", 1.0))
    }
}
