//! Killed at any line: `kill -9` in the middle of bids, trades, reservations, imports, payments and whole checkouts, on both
//! engines. What was acknowledged is there, what is there is whole, and starting again goes on.

mod bids;
pub mod child;
mod feeds;
mod files;
mod imports;
mod payments;
mod reservations;
mod sagas;
mod trades;
