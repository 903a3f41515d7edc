//! Bidding: the engine with its journal, recovery, followers and owners, on both databases and on a journal that fails as a
//! seed says; and markets through the graph.

mod batches;
mod damage;
mod faults;
mod followers;
mod instances;
mod owners;
mod pit;
pub mod play;
mod sellers;
mod trading;
mod writing;
