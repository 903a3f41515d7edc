//! The tables of accounts, in the order in which they came.

mod keys;
mod people;
mod sellers;
mod sessions;

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(keys::Keys),
            Box::new(people::People),
            Box::new(sessions::Sessions),
            Box::new(sellers::Sellers),
        ]
    }
}
