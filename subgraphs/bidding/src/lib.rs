//! Bidding: order books per variant and condition, and what follows from them.
//!
//! It owns the journal of commands, from which everything else follows: books, orders, trades. It promises that what it
//! acknowledged is durable, that nobody sees what a crash could undo, and that one process at a time decides about a market.

pub mod engine;
pub mod fee;
