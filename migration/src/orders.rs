//! The tables of orders, in the order in which they came.

mod afterwards;
mod carts;
mod confirmations;
mod holds;
mod mirrors;
mod prices;
mod sales;
mod trades;

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(mirrors::Mirrors),
            Box::new(prices::Prices),
            Box::new(carts::Carts),
            Box::new(sales::Sales),
            Box::new(afterwards::Afterwards),
            Box::new(confirmations::Confirmations),
            Box::new(trades::Trades),
            Box::new(holds::Holds),
        ]
    }
}
