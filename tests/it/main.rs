//! Everything that needs IO, in one binary.
//!
//! `cargo test -p tests` runs it on SQLite, and on PostgreSQL where one answers at `SOUK_TEST_POSTGRES` (default
//! `postgres://postgres@127.0.0.1:5432/postgres`). `SOUK_TEST_REQUIRE=postgres,redis` turns a missing server into a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[macro_use]
mod support;

mod accounts;
mod architecture;
mod bidding;
mod catalog;
mod command;
mod crash;
#[cfg(feature = "router")]
mod endpoint;
mod events;
mod feeds;
mod inventory;
mod orders;
mod payments;
#[cfg(feature = "router")]
mod router;
#[cfg(feature = "router")]
mod schema;
mod search;
mod simulation;
mod start;
mod texts;
mod trades;
