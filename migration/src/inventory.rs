//! The tables of inventory, in the order in which they came.

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(shared::Events), Box::new(shared::Operations)]
    }
}
