//! SeaORM migrations: one migrator per service. They never import entities and work with the code before and after.

pub mod accounts;
pub mod bidding;
pub mod catalog;
pub mod inventory;
pub mod orders;
pub mod payments;
mod shared;

pub use sea_orm_migration::MigratorTrait;
