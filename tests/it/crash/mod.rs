//! Killed at any line: `kill -9` in the middle of reservations, imports and payments, on both engines. What was acknowledged is
//! there, what is there is whole, and starting again goes on.

pub mod child;
mod feeds;
mod files;
mod imports;
mod payments;
mod reservations;
