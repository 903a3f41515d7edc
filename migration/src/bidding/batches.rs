//! Asks that sellers send at once.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Batches;

impl MigrationName for Batches {
    fn name(&self) -> &str {
        "m0013_bidding_batches"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Batches {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [ask_batch(), ask_batch_item()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        let waiting = "create index ask_batch_item_waiting on ask_batch_item (batch_id, position) where status = 'waiting'";
        db.execute_unprepared(waiting).await?;
        Ok(())
    }
}

fn ask_batch() -> TableCreateStatement {
    Table::create()
        .table("ask_batch")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(uuid("seller_id"))
        .col(big_integer("total"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn ask_batch_item() -> TableCreateStatement {
    Table::create()
        .table("ask_batch_item")
        .col(uuid("batch_id"))
        .col(big_integer("position"))
        .col(uuid("market_id"))
        .col(big_integer("price_minor"))
        .col(big_integer("quantity"))
        .col(big_integer("days"))
        .col(uuid_null("offer_id"))
        .col(text("status"))
        .col(text_null("refusal"))
        .col(integer_null("partition"))
        .col(big_integer_null("number"))
        .primary_key(Index::create().col("batch_id").col("position"))
        .take()
}
