//! The tables of inventory, in the order in which they came.

mod feeds;
mod mirrors;
mod reservations;
mod shipments;
mod stock;
mod webhooks;

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(mirrors::Mirrors),
            Box::new(stock::Stock),
            Box::new(reservations::Reservations),
            Box::new(shipments::Shipments),
            Box::new(feeds::Feeds),
            Box::new(webhooks::Webhooks),
        ]
    }
}
