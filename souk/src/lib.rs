//! Souk as a library: the pieces of the executable, so that tests and benchmarks can run a marketplace in process.

pub mod market;

pub use market::{Market, Plan, StartError};
