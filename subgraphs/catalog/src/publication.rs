//! How products and offers come into view and leave it.

use entity::catalog::Publication::{self, Archived, Draft, Published};

/// What publishing leads to. `None`: it is published already.
pub(crate) fn published(from: Publication) -> Option<Publication> {
    match from {
        Draft | Archived => Some(Published),
        Published => None,
    }
}

/// What archiving leads to. `None`: it is archived already.
pub(crate) fn archived(from: Publication) -> Option<Publication> {
    match from {
        Draft | Published => Some(Archived),
        Archived => None,
    }
}
