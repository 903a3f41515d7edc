//! The engine seen from outside: by its public types only.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod amends;
mod batches;
mod bytes;
mod conformance;
mod expiry;
mod keys;
mod limits;
mod memory;
mod model;
mod naive;
mod orders;
mod returns;
mod script;
mod self_trade;
