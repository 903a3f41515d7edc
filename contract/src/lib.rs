//! What subgraphs may say to each other and to the world: ids, money, events and asks.
//!
//! Pure: values in, values out. No IO, no clock. A new sentence between two subgraphs is a new variant of [`Event`];
//! nothing else couples them.

pub mod event;
mod graphql;
pub mod id;
pub mod money;
pub mod text;

pub use event::{Aggregate, Envelope, Event};
pub use graphql::{Long, REJECTED_VALUE, bad_input};
pub use id::*;
pub use money::{CurrencyCode, Money};
