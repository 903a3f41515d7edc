//! When a seller said that they will send their part.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Confirmations;

impl MigrationName for Confirmations {
    fn name(&self) -> &str {
        "m0015_orders_confirmations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Confirmations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = timestamp_with_time_zone_null("confirmed_at");
        manager.alter_table(Table::alter().table("order_share").add_column(column).take()).await
    }
}
