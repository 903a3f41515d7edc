//! Trades of the market, their log and parcels, tasks of the authentication centre, and strikes.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Trades;

impl MigrationName for Trades {
    fn name(&self) -> &str {
        "m0016_orders_trades"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Trades {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [trade(), trade_event(), trade_parcel(), authentication_task(), strike()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index trade_buyer on trade (buyer_id, matched_at, id)",
            "create index trade_seller on trade (seller_id, matched_at, id)",
            "create index trade_state on trade (state, matched_at, id)",
            "create index trade_due on trade (next_run_at) where next_run_at is not null",
            "create index authentication_task_open on authentication_task (opened_at, trade_id)
             where completed_at is null",
            "create index authentication_task_done on authentication_task (opened_at, trade_id)
             where completed_at is not null",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

/// What lies between price and payout is checked here as well: nothing is made and nothing is lost.
fn trade() -> TableCreateStatement {
    Table::create()
        .table("trade")
        .col(uuid("id").primary_key())
        .col(uuid("market_id"))
        .col(uuid("variant_id"))
        .col(text("condition"))
        .col(uuid("bid_id"))
        .col(uuid("ask_id"))
        .col(uuid("buyer_id"))
        .col(uuid("seller_id"))
        .col(uuid("seller_user_id"))
        .col(text("currency"))
        .col(big_integer("price_minor"))
        .col(text("schedule"))
        .col(integer("level"))
        .col(big_integer("transaction_minor"))
        .col(big_integer("processing_minor"))
        .col(big_integer("payout_minor"))
        .col(big_integer("penalty_minor"))
        .col(text("method"))
        .col(uuid("address_id"))
        .col(uuid_null("offer_id"))
        .col(uuid_null("reservation_id"))
        .col(timestamp_with_time_zone("matched_at"))
        .col(timestamp_with_time_zone("opened_at"))
        .col(text("state"))
        .col(integer("repeats"))
        .col(timestamp_with_time_zone_null("next_run_at"))
        .col(text_null("failure"))
        .col(text_null("action"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("updated_at"))
        .check(Expr::cust("price_minor > 0 and payout_minor >= 0 and penalty_minor >= 0"))
        .check(Expr::cust("price_minor = payout_minor + transaction_minor + processing_minor"))
        .take()
}

fn trade_event() -> TableCreateStatement {
    Table::create()
        .table("trade_event")
        .col(uuid("trade_id"))
        .col(big_integer("sequence"))
        .col(text("kind"))
        .col(text("actor"))
        .col(text("details"))
        .col(timestamp_with_time_zone("at"))
        .primary_key(Index::create().col("trade_id").col("sequence"))
        .take()
}

fn trade_parcel() -> TableCreateStatement {
    Table::create()
        .table("trade_parcel")
        .col(uuid("trade_id"))
        .col(text("way"))
        .col(text("carrier"))
        .col(text("tracking"))
        .col(timestamp_with_time_zone("sent_at"))
        .col(timestamp_with_time_zone_null("arrived_at"))
        .primary_key(Index::create().col("trade_id").col("way"))
        .take()
}

fn authentication_task() -> TableCreateStatement {
    Table::create()
        .table("authentication_task")
        .col(uuid("trade_id").primary_key())
        .col(timestamp_with_time_zone("opened_at"))
        .col(uuid_null("claimed_by"))
        .col(timestamp_with_time_zone_null("claimed_until"))
        .col(text_null("verdict"))
        .col(text_null("findings"))
        .col(timestamp_with_time_zone_null("completed_at"))
        .take()
}

fn strike() -> TableCreateStatement {
    Table::create()
        .table("strike")
        .col(uuid("user_id"))
        .col(uuid("trade_id"))
        .col(text("cause"))
        .col(timestamp_with_time_zone("at"))
        .primary_key(Index::create().col("user_id").col("trade_id"))
        .take()
}
