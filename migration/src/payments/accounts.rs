//! An account in which sellers are paid is one seller's; whether they can be paid.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Accounts;

impl MigrationName for Accounts {
    fn name(&self) -> &str {
        "m0026_payments_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Accounts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "create unique index seller_account_account on seller_account (provider, account)";
        manager.get_connection().execute_unprepared(index).await?;
        let payee = Table::create()
            .table("payee")
            .col(uuid("seller_id").primary_key())
            .col(text("provider"))
            .col(boolean("ready"))
            .col(big_integer("version"))
            .take();
        manager.create_table(payee).await
    }
}
