//! Bidding: the engine with its journal, recovery, followers and owners, on both databases and on a journal that fails as a
//! seed says; and markets through the graph.

mod backed;
mod batches;
mod charts;
mod damage;
mod faults;
mod feeds;
mod followers;
pub mod held;
pub mod instance;
mod instances;
mod live;
mod owners;
pub mod pit;
pub mod play;
mod recounts;
mod rules;
mod sellers;
mod trading;
mod writing;
