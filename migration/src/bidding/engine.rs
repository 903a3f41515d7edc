//! The journal, its snapshots, who writes, and the rows that follow from it.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

pub struct Engine;

impl MigrationName for Engine {
    fn name(&self) -> &str {
        "m0010_bidding_engine"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Engine {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [partition(), journal(), snapshot(), watermark(), order(), trade()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            // Compressing what is compact already costs six times the CPU of storing it.
            for table in ["bidding_journal", "bidding_snapshot"] {
                let sql = format!("alter table {table} alter column payload set storage external");
                db.execute_unprepared(&sql).await?;
            }
        }
        for index in [
            "create index bidding_order_account on bidding_order (account, placed_at)",
            "create index bidding_order_market on bidding_order (market, status)",
            "create index bidding_trade_market on bidding_trade (market, at)",
            "create index bidding_trade_ask on bidding_trade (partition, ask)",
            "create index bidding_trade_bid on bidding_trade (partition, bid)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn partition() -> TableCreateStatement {
    Table::create()
        .table("bidding_partition")
        .col(integer("partition").primary_key())
        .col(big_integer("epoch"))
        .take()
}

fn journal() -> TableCreateStatement {
    Table::create()
        .table("bidding_journal")
        .col(integer("partition"))
        .col(big_integer("seq"))
        .col(big_integer("epoch"))
        .col(big_integer("ts"))
        .col(integer("n"))
        .col(big_integer("pulse"))
        .col(big_integer("crc32"))
        .col(blob("payload"))
        .primary_key(Index::create().col("partition").col("seq"))
        .take()
}

fn snapshot() -> TableCreateStatement {
    Table::create()
        .table("bidding_snapshot")
        .col(integer("partition"))
        .col(big_integer("seq"))
        .col(big_integer("digest"))
        .col(big_integer("crc32"))
        .col(blob("payload"))
        .primary_key(Index::create().col("partition").col("seq"))
        .take()
}

fn watermark() -> TableCreateStatement {
    Table::create()
        .table("bidding_watermark")
        .col(integer("partition").primary_key())
        .col(big_integer("seq"))
        .take()
}

fn order() -> TableCreateStatement {
    Table::create()
        .table("bidding_order")
        .col(integer("partition"))
        .col(big_integer("number"))
        .col(uuid("market"))
        .col(uuid("account"))
        .col(text("side"))
        .col(big_integer("price_minor"))
        .col(big_integer("quantity"))
        .col(big_integer("remaining"))
        .col(big_integer("filled"))
        .col(text("status"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone("placed_at"))
        .col(timestamp_with_time_zone("changed_at"))
        .primary_key(Index::create().col("partition").col("number"))
        .take()
}

fn trade() -> TableCreateStatement {
    Table::create()
        .table("bidding_trade")
        .col(integer("partition"))
        .col(big_integer("number"))
        .col(big_integer("quantity"))
        .col(big_integer("failed"))
        .col(uuid("market"))
        .col(big_integer("market_seq"))
        .col(big_integer("price_minor"))
        .col(big_integer("bid"))
        .col(big_integer("ask"))
        .col(uuid("buyer"))
        .col(uuid("seller"))
        .col(text("maker_side"))
        .col(timestamp_with_time_zone("at"))
        .primary_key(Index::create().col("partition").col("number"))
        .take()
}
