//! The engine: markets are spread over partitions; one task writes a partition, through one journal.
//!
//! A [`Writer`] drains what waits, applies it, writes one journal row, and only after its commit answers, shows the new books
//! and wakes the follower. A [`Follower`] replays the journal beside it: it keeps the rows of orders and trades and takes
//! snapshots, so that neither slows an answer. An [`Owner`] says which process writes which partition.

mod announce;
mod behind;
mod follower;
mod held;
mod journal;
mod numbering;
mod owner;
mod pricing;
mod projection;
mod recovery;
mod sql;
mod tape;
mod view;
mod writer;

pub use follower::Follower;
pub use journal::{Appended, Journal, Row, Snapshot};
pub use owner::Owner;
pub use projection::{Projection, reason_of};
pub use recovery::{Damaged, Recovered, recover, replay};
pub use sql::SqlJournal;
pub use tape::{STEPS_MAX, Shift, Step, Tape, Trade};
pub use view::{Board, Picture, Ticker, View};
pub use writer::{Answered, Handle, Unanswered, Writer};

/// Fixed for ever: a market's partition is part of where its rows are.
pub const PARTITIONS: u32 = 256;

/// The partition that decides about a market.
pub fn partition_of(market: matching::MarketId) -> u32 {
    (matching::digest_of(&market.0.to_be_bytes()) % u64::from(PARTITIONS)) as u32
}
