//! Products that may have a title, whoever wrote it down: many rather than few, for somebody who then looks closely.

use contract::ProductId;
use tantivy::TantivyDocument;
use uuid::Uuid;

use super::ask::Ask;
use super::index::Reading;
use super::suggest::{Best, stored};

/// Products that are looked at for one way to write the title.
const LOOKED_AT_MAX: usize = 30;

/// Products with most words of the title, or of what stands before its subtitle; perhaps with typos.
pub(super) fn alike(reading: &Reading, title: &str) -> tantivy::Result<Vec<ProductId>> {
    let seen = reading.look()?;
    let all = Best { limit: LOOKED_AT_MAX, columns: &seen.columns };
    let bare = title.split(['(', '[']).next().unwrap_or(title);
    let main = bare.split(':').next().unwrap_or(bare);
    let mut found = vec![];
    for text in [title, bare, main] {
        // With a space at its end its last word is not taken for the beginning of others.
        let ask = Ask::read(&format!("{text} "));
        if ask.is_empty() {
            continue;
        }
        for (_, address) in seen.searcher.search(&*ask.alike(&seen.fields), &all)? {
            let document: TantivyDocument = seen.searcher.doc(address)?;
            found.extend(Uuid::try_parse(stored(&document, seen.fields.id)).ok().map(ProductId));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
