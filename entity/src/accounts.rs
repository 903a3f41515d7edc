//! Tables of accounts: people, their sessions, addresses and shops, and the keys of the house.
//!
//! A `Vec<u8>` whose name ends in `sealed` is readable only with a key that is not in the same row.

pub mod address;
pub mod data_key;
pub mod refresh_token;
pub mod seller;
pub mod session;
pub mod signing_key;
pub mod user;
pub mod user_role;
