//! An account in which sellers are paid is one seller's.

use sea_orm_migration::prelude::*;

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
        Ok(())
    }
}
