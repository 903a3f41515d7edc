//! What the sandbox provider remembers. It stands for another company's database: nothing else reads it.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Sandbox;

impl MigrationName for Sandbox {
    fn name(&self) -> &str {
        "m0013_payments_sandbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sandbox {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(object()).await?;
        manager.create_table(call()).await?;
        manager.create_table(setting()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("create index sandbox_object_parent on sandbox_object (parent)").await?;
        db.execute_unprepared("create index sandbox_object_subject on sandbox_object (subject)").await?;
        Ok(())
    }
}

fn object() -> TableCreateStatement {
    Table::create()
        .table("sandbox_object")
        .col(text("id").primary_key())
        .col(text("kind"))
        .col(text_null("parent"))
        .col(text("subject"))
        .col(big_integer("amount_minor"))
        .col(text("currency"))
        .col(text("status"))
        .col(text("method"))
        .col(big_integer("fee_minor"))
        .col(big_integer("balance_minor"))
        .col(timestamp_with_time_zone_null("held_until"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn call() -> TableCreateStatement {
    Table::create()
        .table("sandbox_call")
        .col(text("key").primary_key())
        .col(text("request"))
        .col(text_null("answer"))
        .col(integer("seen"))
        .col(timestamp_with_time_zone("at"))
        .take()
}

fn setting() -> TableCreateStatement {
    Table::create().table("sandbox_setting").col(text("name").primary_key()).col(text("value")).take()
}
