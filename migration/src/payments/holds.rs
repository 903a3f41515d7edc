//! Money that is held for bids is a payment without an order.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Holds;

impl MigrationName for Holds {
    fn name(&self) -> &str {
        "m0038_payments_holds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Holds {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = boolean("for_bid").default(false).take();
        manager.alter_table(Table::alter().table("payment").add_column(column).take()).await
    }
}
