//! The fields of the index. A document is a product with all its offers.

use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};

/// Rises when documents change their form: an index of another version is rebuilt.
pub(super) const VERSION: u32 = 2;

/// Names of columns.
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";
pub(super) const FACET: &str = "facet";
pub(super) const OFFER_PRICE: &str = "offer_price";
pub(super) const OFFER_FLAGS: &str = "offer_flags";
pub(super) const OFFER_SIZE: &str = "offer_size";
pub(super) const OFFER_SELLER: &str = "offer_seller";
pub(super) const POPULARITY: &str = "popularity";
pub(super) const RATING: &str = "rating";
pub(super) const RELEASED: &str = "released";

/// The fields, for writing and asking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// The product's id, to replace its document.
    pub(super) id: Field,
    pub(super) id_high: Field,
    pub(super) id_low: Field,
    /// Words of the title.
    pub(super) title: Field,
    /// Words of brand, model and people.
    pub(super) names: Field,
    /// Words of everything else.
    pub(super) more: Field,
    /// Numbers that name a variant.
    pub(super) code: Field,
    /// Whole titles and series, as people would type them.
    pub(super) exact: Field,
    /// The first letters of words of title and names.
    pub(super) starts: Field,
    /// The title as it shows.
    pub(super) shown: Field,
    /// What is counted: brand, categories, attributes, and what the offers are.
    pub(super) facet: Field,
    /// One value for each offer that can be bought, in the same order in each of the four columns.
    pub(super) offer_price: Field,
    pub(super) offer_flags: Field,
    pub(super) offer_size: Field,
    pub(super) offer_seller: Field,
    pub(super) popularity: Field,
    pub(super) rating: Field,
    pub(super) released: Field,
}

/// The schema of the index and its fields.
pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let words = || indexed(IndexRecordOption::WithFreqsAndPositions);
    let terms = || indexed(IndexRecordOption::Basic);
    let column = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        id: schema.add_text_field("id", terms().set_stored()),
        id_high: schema.add_u64_field(ID_HIGH, FAST),
        id_low: schema.add_u64_field(ID_LOW, FAST),
        title: schema.add_text_field("title", words()),
        names: schema.add_text_field("names", words()),
        more: schema.add_text_field("more", words()),
        code: schema.add_text_field("code", terms()),
        exact: schema.add_text_field("exact", terms()),
        starts: schema.add_text_field("starts", terms()),
        shown: schema.add_text_field("shown", STORED),
        facet: schema.add_text_field(FACET, column()),
        offer_price: schema.add_u64_field(OFFER_PRICE, FAST),
        offer_flags: schema.add_u64_field(OFFER_FLAGS, FAST),
        offer_size: schema.add_text_field(OFFER_SIZE, column()),
        offer_seller: schema.add_text_field(OFFER_SELLER, column()),
        popularity: schema.add_u64_field(POPULARITY, FAST),
        rating: schema.add_i64_field(RATING, FAST),
        released: schema.add_i64_field(RELEASED, FAST),
    };
    (schema.build(), fields)
}

fn indexed(record: IndexRecordOption) -> TextOptions {
    let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing.set_index_option(record))
}
