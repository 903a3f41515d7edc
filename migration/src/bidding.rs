//! The tables of bidding, in the order in which they came.

mod addresses;
mod backings;
mod batches;
mod engine;
mod holdings;
mod market_data;
mod markets;

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(engine::Engine),
            Box::new(markets::Markets),
            Box::new(batches::Batches),
            Box::new(market_data::MarketData),
            Box::new(backings::Backings),
            Box::new(addresses::Addresses),
            Box::new(holdings::Holdings),
        ]
    }
}
