//! Markets, who may sell in them, and what an order carries besides its price.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

pub struct Markets;

impl MigrationName for Markets {
    fn name(&self) -> &str {
        "m0011_bidding_markets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Markets {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            market(),
            ticker(),
            seller(),
            payee(),
            variant(),
            selling(),
            selling_due(),
            failed_trade(),
            sold(),
        ] {
            manager.create_table(table).await?;
        }
        for column in order_columns() {
            manager.alter_table(Table::alter().table("bidding_order").add_column(column).take()).await?;
        }
        for column in trade_columns() {
            manager.alter_table(Table::alter().table("bidding_trade").add_column(column).take()).await?;
        }
        let notes = Table::alter().table("bidding_journal").add_column(blob_null("notes")).take();
        manager.alter_table(notes).await?;
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            let sql = "alter table bidding_journal alter column notes set storage external";
            db.execute_unprepared(sql).await?;
        }
        for index in [
            "create unique index market_variant on market (variant_id, condition, currency)",
            "create index market_partition on market (partition)",
            "create index market_unapplied on market (id) where applied_version < version",
            "create index failed_trade_due on failed_trade (heard_at) where due",
            "create index seller_user on seller (user_id)",
            "create index selling_suspended on selling (suspended_until) where suspended_until is not null",
            "create index bidding_order_mine on bidding_order (account, side, placed_at, partition, number)",
            "create index bidding_order_queue on bidding_order (market, side, price_minor, sequence) where status = 'open'",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn market() -> TableCreateStatement {
    Table::create()
        .table("market")
        .col(uuid("id").primary_key())
        .col(uuid("variant_id"))
        .col(text("condition"))
        .col(text("currency"))
        .col(integer("partition"))
        .col(big_integer("tick_minor"))
        .col(big_integer("price_min_minor"))
        .col(big_integer("price_max_minor"))
        .col(big_integer("version"))
        .col(big_integer("applied_version"))
        .col(timestamp_with_time_zone("opened_at"))
        .take()
}

fn ticker() -> TableCreateStatement {
    Table::create()
        .table("ticker")
        .col(uuid("market_id").primary_key())
        .col(big_integer_null("lowest_ask_minor"))
        .col(big_integer_null("highest_bid_minor"))
        .col(big_integer_null("last_sale_minor"))
        .col(timestamp_with_time_zone_null("last_sale_at"))
        .col(big_integer("sequence"))
        .take()
}

fn seller() -> TableCreateStatement {
    Table::create()
        .table("seller")
        .col(uuid("seller_id").primary_key())
        .col(uuid("user_id"))
        .col(text("status"))
        .col(big_integer("version"))
        .take()
}

fn payee() -> TableCreateStatement {
    Table::create()
        .table("payee")
        .col(uuid("seller_id").primary_key())
        .col(boolean("ready"))
        .col(big_integer("version"))
        .take()
}

fn variant() -> TableCreateStatement {
    Table::create()
        .table("variant")
        .col(uuid("variant_id").primary_key())
        .col(uuid("product_id"))
        .col(big_integer("version"))
        .take()
}

fn selling() -> TableCreateStatement {
    Table::create()
        .table("selling")
        .col(uuid("user_id").primary_key())
        .col(boolean("paused"))
        .col(boolean("barred"))
        .col(timestamp_with_time_zone_null("suspended_until"))
        .col(big_integer("version"))
        .take()
}

fn selling_due() -> TableCreateStatement {
    Table::create()
        .table("selling_due")
        .col(uuid("user_id"))
        .col(integer("partition"))
        .col(big_integer("version"))
        .primary_key(Index::create().col("user_id").col("partition"))
        .take()
}

fn failed_trade() -> TableCreateStatement {
    Table::create()
        .table("failed_trade")
        .col(uuid("trade_id").primary_key())
        .col(boolean("due"))
        .col(timestamp_with_time_zone("heard_at"))
        .take()
}

fn sold() -> TableCreateStatement {
    Table::create()
        .table("sold")
        .col(uuid("user_id"))
        .col(text("currency"))
        .col(timestamp_with_time_zone("quarter"))
        .col(big_integer("pieces"))
        .col(big_integer("turnover_minor"))
        .primary_key(Index::create().col("user_id").col("currency").col("quarter"))
        .take()
}

fn order_columns() -> Vec<ColumnDef> {
    vec![
        uuid_null("seller_id"),
        text_null("payment_method"),
        uuid_null("address_id"),
        uuid_null("offer_id"),
        uuid_null("backing_id"),
        text_null("request_hash"),
        big_integer("sequence").default(0).take(),
    ]
}

fn trade_columns() -> Vec<ColumnDef> {
    vec![
        uuid_null("seller_id"),
        text_null("fee_schedule"),
        integer_null("fee_level"),
        big_integer_null("transaction_minor"),
        big_integer_null("processing_minor"),
        big_integer_null("payout_minor"),
    ]
}
