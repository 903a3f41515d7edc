//! Products in the order of their prices.

use sea_orm_migration::prelude::*;

pub(super) struct Prices;

impl MigrationName for Prices {
    fn name(&self) -> &str {
        "m0023_catalog_prices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Prices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "create index offer_by_price on offer (currency, price_minor, product_id)";
        manager.get_connection().execute_unprepared(index).await?;
        Ok(())
    }
}
