//! How a subgraph runs: everything that is the same in each of them and decides nothing about the market.
//!
//! A subgraph is built from an [`Env`] and gives a [`Subgraph`]; the executable runs any set of them in one process.

pub mod audit;
pub mod auth;
pub mod clock;
pub mod db;
pub mod dead_letter;
pub mod denied;
pub mod failpoint;
pub mod failure;
pub mod graph;
pub mod housekeeping;
pub mod idempotency;
pub mod inbox;
pub mod lease;
pub mod live;
pub mod outbox;
pub mod page;
pub mod peers;
pub mod probe;
pub mod reach;
pub mod relay;
pub mod revision;
pub mod seal;
pub mod serve;
mod subgraph;
pub mod tasks;
pub mod telemetry;
pub mod together;
pub mod tx;

pub use clock::Clock;
pub use db::{Database, Engine};
pub use denied::Denied;
pub use failure::{Failure, Outcome};
pub use peers::Peers;
pub use reach::Reach;
pub use subgraph::{Env, Job, MasterKey, Subgraph};
pub use tasks::Tasks;
pub use together::Together;
pub use tx::Tx;
