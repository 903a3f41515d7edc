//! Sellers and where they stand.

use sea_orm_migration::{prelude::*, schema::*};

/// `seller`.
pub struct Sellers;

impl MigrationName for Sellers {
    fn name(&self) -> &str {
        "m0013_accounts_sellers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sellers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(seller()).await?;
        let sql = "create index seller_status on seller (status, id)";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

fn seller() -> TableCreateStatement {
    let states = ["pending", "verified", "rejected", "suspended"];
    Table::create()
        .table("seller")
        .col(uuid("id").primary_key())
        .col(uuid_uniq("user_id"))
        .col(text("name"))
        .col(text("status").check(Expr::col("status").is_in(states)))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone("applied_at"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .col(big_integer("version"))
        .foreign_key(ForeignKey::create().from("seller", "user_id").to("user_account", "id"))
        .take()
}
