//! Souk as a library: the pieces of the executable, so that tests and benchmarks can run a marketplace in process.

pub mod cli;
pub mod demo;
pub mod doctor;
pub mod fake_stripe;
pub mod feed;
pub mod import;
pub mod market;
pub mod operator;
#[cfg(feature = "router")]
pub mod schema;
pub mod serve;
pub mod settings;

pub use market::{Market, Plan, StartError};
