//! What can be seen: lists and lookups by statements of our own, the same text on both engines.

pub(crate) mod offers;
pub(crate) mod products;
