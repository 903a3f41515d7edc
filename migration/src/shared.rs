//! Tables that every service has.

use sea_orm_migration::{prelude::*, schema::*};

/// `outbox`, `inbox` and `dead_letter`.
pub struct Events;

impl MigrationName for Events {
    fn name(&self) -> &str {
        "m0001_shared_events"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Events {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(outbox()).await?;
        manager.create_table(inbox()).await?;
        manager.create_table(dead_letter()).await?;
        // Most rows are published: the relay reads only the few that are not.
        let db = manager.get_connection();
        db.execute_unprepared("create index outbox_unpublished on outbox (seq) where published_at is null")
            .await?;
        db.execute_unprepared(
            "create index outbox_waiting on outbox (aggregate_id, seq) where published_at is null",
        )
        .await?;
        db.execute_unprepared("create index outbox_published on outbox (published_at)").await?;
        Ok(())
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(big_pk_auto("seq"))
        .col(uuid_uniq("id"))
        .col(text("kind"))
        .col(text("aggregate_kind"))
        .col(uuid("aggregate_id"))
        .col(big_integer("aggregate_version"))
        .col(text("envelope"))
        .col(timestamp_with_time_zone("occurred_at"))
        .col(integer("attempts").default(0))
        .col(timestamp_with_time_zone("next_attempt_at"))
        .col(timestamp_with_time_zone_null("published_at"))
        .take()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(text("consumer"))
        .col(uuid("event_id"))
        .col(timestamp_with_time_zone("applied_at"))
        .col(text_null("traceparent"))
        .primary_key(Index::create().col("consumer").col("event_id"))
        .take()
}

fn dead_letter() -> TableCreateStatement {
    Table::create()
        .table("dead_letter")
        .col(text("consumer"))
        .col(uuid("event_id"))
        .col(text("kind"))
        .col(text("envelope"))
        .col(text("error"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("failed_at"))
        .col(text("status"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone_null("resolved_at"))
        .primary_key(Index::create().col("consumer").col("event_id"))
        .take()
}

/// `lease`, `idempotency` and `audit_event`.
pub struct Operations;

impl MigrationName for Operations {
    fn name(&self) -> &str {
        "m0002_shared_operations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Operations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(lease()).await?;
        manager.create_table(idempotency()).await?;
        manager.create_table(audit_event()).await
    }
}

fn lease() -> TableCreateStatement {
    Table::create()
        .table("lease")
        .col(text("name").primary_key())
        .col(uuid("holder"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(big_integer("epoch"))
        .take()
}

fn idempotency() -> TableCreateStatement {
    Table::create()
        .table("idempotency")
        .col(text("scope"))
        .col(text("key"))
        .col(text("request_hash"))
        .col(text("response"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("scope").col("key"))
        .take()
}

fn audit_event() -> TableCreateStatement {
    Table::create()
        .table("audit_event")
        .col(big_pk_auto("seq"))
        .col(timestamp_with_time_zone("at"))
        .col(text("actor"))
        .col(text("action"))
        .col(text("subject"))
        .col(text("details"))
        .col(text("previous_hash"))
        .col(text("hash"))
        .take()
}
