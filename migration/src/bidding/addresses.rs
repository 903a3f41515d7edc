//! Where whoever writes a partition is reached.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Addresses;

impl MigrationName for Addresses {
    fn name(&self) -> &str {
        "m0037_bidding_addresses"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Addresses {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let address = Table::alter().table("bidding_partition").add_column(text_null("address")).take();
        manager.alter_table(address).await
    }
}
