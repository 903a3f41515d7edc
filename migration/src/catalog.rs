//! The tables of catalog, in the order in which they came.

mod imports;
mod listings;
mod offers;
mod prices;
mod products;
mod proposals;
mod search;
mod tree;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(products::Products),
            Box::new(tree::Categories),
            Box::new(offers::Offers),
            Box::new(search::Search),
            Box::new(listings::Listings),
            Box::new(proposals::Proposals),
            Box::new(imports::Imports),
            Box::new(prices::Prices),
        ]
    }
}

/// A text that is compared by its bytes, as SQLite does by itself, so that both engines sort alike.
fn text_by_bytes(name: &'static str, manager: &SchemaManager<'_>) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text();
    if manager.get_database_backend() == DbBackend::Postgres {
        column.extra("collate \"C\"");
    }
    column
}
