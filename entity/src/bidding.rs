//! Tables of bidding: the journal of commands with its snapshots, and the orders and trades that follow from it.

pub mod journal;
pub mod order;
pub mod partition;
pub mod snapshot;
pub mod trade;
pub mod watermark;
