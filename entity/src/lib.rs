//! SeaORM entities: one module per service, and the tables that every service has.

pub mod accounts;
pub mod bidding;
pub mod catalog;
pub mod inventory;
pub mod orders;
pub mod payments;
mod prelude;
pub mod shared;
