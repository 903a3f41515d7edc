//! The tables of payments, in the order in which they came.

mod accounts;
mod holds;
mod ledger;
mod moves;
mod sandbox;
mod shares;

use sea_orm_migration::prelude::*;

use crate::shared;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(shared::Events),
            Box::new(shared::Operations),
            Box::new(ledger::Ledger),
            Box::new(shares::Shares),
            Box::new(moves::Moves),
            Box::new(sandbox::Sandbox),
            Box::new(accounts::Accounts),
            Box::new(holds::Holds),
        ]
    }
}
