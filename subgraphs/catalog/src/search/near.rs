//! Words like one that was typed: begun like it, or a few edits away.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tantivy::query::{AutomatonWeight, DfaWrapper, EnableScoring, FuzzyTermQuery, Query, Weight};
use tantivy::schema::Field;

use super::ask::key;

/// Edits for which words are looked up, at most.
const EDITS_MAX: usize = 2;

/// A word as it was typed. What finds words like it is made once, for all fields.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    text: String,
    /// By the number of edits, less one.
    near: [OnceLock<Alike>; EDITS_MAX],
}

impl Typed {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), near: Default::default() }
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
    pub(super) fn begun(&self) -> Alike {
        Alike::new(|word| FuzzyTermQuery::new_prefix(word, 0, false), &self.text)
    }
}

/// Tells the words of a kind from others, letter by letter.
#[derive(Clone)]
pub(super) struct Alike(Arc<DfaWrapper>);

impl Alike {
    fn new(query: impl FnOnce(tantivy::Term) -> FuzzyTermQuery, word: &str) -> Self {
        // The letters are all that counts of the term.
        let query = query(key(Field::from_field_id(0), word));
        Self(Arc::new(query.automaton().expect("the term is a text, and the edits are few")))
    }

    /// For a look into the words of a field.
    pub(super) fn automaton(&self) -> &DfaWrapper {
        &self.0
    }

    /// The products with such a word in `field`.
    pub(super) fn within(&self, field: Field) -> Within {
        Within { field, alike: self.clone() }
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
        Ok(Box::new(AutomatonWeight::<DfaWrapper>::new(self.field, self.alike.0.clone())))
    }
}
