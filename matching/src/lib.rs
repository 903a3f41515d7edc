//! The matching engine: order books as a pure function.
//!
//! [`apply`] takes a [`State`], a [`Command`] with its time, and appends the [`Event`]s that follow. It is total: every
//! command, however wrong, gives at least one event, and a refusal changes nothing but what is remembered of it. There is no
//! IO, no clock, no randomness, no float, and nothing depends on the order of a hash map: the same commands give the same
//! events and the same [`State::digest`], on every machine.
//!
//! ```
//! use matching::*;
//!
//! let mut state = State::new(Limits::default());
//! let mut events = Vec::new();
//! let market = MarketId(7);
//! let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000_000 };
//! apply(&mut state, &Command { ts: 1, action: Action::SetMarket { market, rules } }, &mut events);
//!
//! let ask = Place::resting(AccountId(1), market, Side::Ask, 20_000, 1);
//! let bid = Place::resting(AccountId(2), market, Side::Bid, 21_000, 1);
//! apply(&mut state, &Command { ts: 2, action: Action::Place(ask) }, &mut events);
//! apply(&mut state, &Command { ts: 3, action: Action::Place(bid) }, &mut events);
//!
//! let matched = events.iter().find_map(|event| match event {
//!     Event::Book(BookEvent { change: Change::Matched(matched), .. }) => Some(matched),
//!     _ => None,
//! });
//! assert_eq!(matched.map(|matched| (matched.price, matched.quantity)), Some((20_000, 1)));
//! ```
//!
//! # Rules worth knowing
//! - Priority is price, then sequence. The price of a match is the resting order's.
//! - Time never goes back: a command that comes with an earlier `ts` than one before it is applied at that one's time.
//! - Before anything else a command expires what is due, in the order of `(expires_at, order number)`.
//! - A match reserves one [`TradeId`] for each piece: pieces `0..quantity` are `trade.0..trade.0 + quantity`.
//! - Many commands at once are the same as one by one, in less time: [`apply_all`].
//! - An order that was closed is remembered for [`Limits::retention_us`]; after that it may be as if it had never been.
//!
//! # Seen from outside
//! `tests/it` has scripts of orders in words, the engine against a book that is written from the rules alone, what an outside
//! suite would drive, and bytes of every kind. `cargo bench -p matching` tells times and sizes. `fuzz/run.sh books 120` fuzzes
//! for two minutes with a stable compiler; `commands`, `events` and `state` are the other targets, for any bytes at all. The
//! example `adapter` is what another suite needs to drive a book by its own order numbers.

mod account;
mod amend;
mod apply;
mod audit;
mod batch;
mod book;
mod calendar;
mod cancel;
pub mod codec;
mod command;
mod event;
mod fingerprint;
mod hash;
mod index;
mod keys;
mod level;
mod market;
mod numbers;
mod pages;
mod place;
mod refusal;
mod slab;
mod snapshot;
mod state;
mod take;
mod tally;
mod trade;
mod view;

pub use apply::apply;
pub use audit::Broken;
pub use batch::apply_all;
pub use codec::{Codec, Malformed};
pub use command::{Action, Amend, Cancel, Command, Life, Limits, MarketRules, Place, SelfTrade, Side};
pub use event::{
    Amended, Answer, BookEvent, Cancelled, Change, Event, Expired, Matched, PaymentFailed, Placed, Reason,
    Rested, Returned, Status,
};
pub use hash::digest_of;
pub use refusal::Refusal;
pub use state::State;
pub use view::{Depth, MarketView, OrderView};

/// Minor units of the market's currency; from 1.
pub type Price = i64;
/// Pieces.
pub type Quantity = u32;
/// Microseconds since 1970, UTC.
pub type Timestamp = i64;
/// The place of an order in time: total over all orders of a state.
pub type Sequence = u64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($number:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);
    )*};
}

ids! {
    /// A market, named by its owner: a UUID fits.
    MarketId(u128);
    /// Whoever places orders, named by its owner: a UUID fits.
    AccountId(u128);
    /// An order: numbered by the engine from 1, without gaps.
    OrderId(u64);
    /// One matched piece: numbered by the engine from 1, without gaps.
    TradeId(u64);
    /// A caller's idempotency key; make it from longer keys with a cryptographic hash.
    Key(u128);
}
