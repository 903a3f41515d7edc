//! Stock that is kept for asks, and the offers that it is of.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Backings;

impl MigrationName for Backings {
    fn name(&self) -> &str {
        "m0034_bidding_backings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Backings {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [offer(), backing(), backing_piece()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index backing_open on backing (created_at) where lacks or state in ('asked', 'held')",
            "create index backing_over on backing (created_at) where state in ('short', 'refused', 'late')",
            "create index backing_order on backing (partition, number)",
            "create unique index backing_piece_reservation on backing_piece (reservation_id)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn offer() -> TableCreateStatement {
    Table::create()
        .table("offer")
        .col(uuid("offer_id").primary_key())
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(text("condition"))
        .col(boolean("archived"))
        .col(big_integer("version"))
        .take()
}

fn backing() -> TableCreateStatement {
    Table::create()
        .table("backing")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(uuid("seller_id"))
        .col(uuid("market_id"))
        .col(uuid("offer_id"))
        .col(text("operation"))
        .col(text("key"))
        .col(big_integer("price_minor"))
        .col(big_integer("quantity"))
        .col(big_integer_null("days"))
        .col(text("request_hash"))
        .col(text("state"))
        .col(big_integer_null("available"))
        .col(integer_null("partition"))
        .col(big_integer_null("number"))
        .col(boolean("lacks"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn backing_piece() -> TableCreateStatement {
    Table::create()
        .table("backing_piece")
        .col(uuid("backing_id"))
        .col(big_integer("position"))
        .col(uuid("reservation_id"))
        .col(text("state"))
        .col(big_integer_null("trade"))
        .primary_key(Index::create().col("backing_id").col("position"))
        .take()
}
