//! What was held for a bid pays for its trades.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Holds;

impl MigrationName for Holds {
    fn name(&self) -> &str {
        "m0038_orders_holds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Holds {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = uuid_null("hold_id");
        manager.alter_table(Table::alter().table("trade").add_column(column).take()).await
    }
}
