//! Search: which products changed is noted with the change, for an index to follow.

mod change;

pub(crate) use change::{Changed, note};
