//! Candles, trades in the order of their market, the numbered changes of each account's orders, and retail prices.

use sea_orm_migration::{prelude::*, schema::*};

pub struct MarketData;

impl MigrationName for MarketData {
    fn name(&self) -> &str {
        "m0030_bidding_market_data"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MarketData {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(candle()).await?;
        manager.create_table(account()).await?;
        for (table, column) in [
            ("bidding_order", big_integer("account_seq").default(0).take()),
            ("market", big_integer_null("retail_minor")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for index in [
            "create unique index bidding_trade_market_seq on bidding_trade (market, market_seq)",
            "create index bidding_order_changes on bidding_order (account, account_seq)",
        ] {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn candle() -> TableCreateStatement {
    Table::create()
        .table("bidding_candle")
        .col(uuid("market"))
        .col(text("span"))
        .col(timestamp_with_time_zone("start"))
        .col(big_integer("open"))
        .col(big_integer("high"))
        .col(big_integer("low"))
        .col(big_integer("close"))
        .col(big_integer("volume"))
        .col(big_integer("turnover"))
        .col(big_integer("trades"))
        .col(big_integer("last_seq"))
        .primary_key(Index::create().col("market").col("span").col("start"))
        .take()
}

fn account() -> TableCreateStatement {
    Table::create().table("bidding_account").col(uuid("account").primary_key()).col(big_integer("seq")).take()
}
