//! Keys: those that sign access tokens and those that seal personal data.

use sea_orm_migration::{prelude::*, schema::*};

/// `signing_key` and `data_key`.
pub struct Keys;

impl MigrationName for Keys {
    fn name(&self) -> &str {
        "m0010_accounts_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Keys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(signing_key()).await?;
        manager.create_table(data_key()).await?;
        // One key signs and one is next, however many processes start or rotate at once.
        let sql = "create unique index signing_key_one_of_each on signing_key (state) \
                   where state in ('current', 'next')";
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}

fn signing_key() -> TableCreateStatement {
    Table::create()
        .table("signing_key")
        .col(text("kid").primary_key())
        .col(text("state").check(Expr::col("state").is_in(["next", "current", "previous"])))
        .col(text("public_x"))
        .col(blob("private_sealed"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("retired_at"))
        .take()
}

fn data_key() -> TableCreateStatement {
    Table::create()
        .table("data_key")
        .col(uuid("user_id").primary_key())
        .col(uuid_uniq("key_id"))
        .col(blob("key_sealed"))
        .take()
}
