//! What prices are made of besides offers: shipping, tax, fees and promotions.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Prices;

impl MigrationName for Prices {
    fn name(&self) -> &str {
        "m0011_orders_prices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Prices {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            parcel_weight(),
            shipping_rate(),
            platform_rate(),
            promotion(),
            promotion_buyer(),
            promotion_use(),
            tariff(),
        ] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create unique index promotion_code on promotion (code)",
            "create index promotion_automatic on promotion (starts_at) where code is null",
            "create index platform_rate_place on platform_rate (kind, country, valid_from)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn parcel_weight() -> TableCreateStatement {
    Table::create()
        .table("parcel_weight")
        .col(uuid("offer_id").primary_key())
        .col(big_integer("grams"))
        .check(Expr::cust("grams >= 0"))
        .take()
}

fn shipping_rate() -> TableCreateStatement {
    Table::create()
        .table("shipping_rate")
        .col(uuid("seller_id"))
        .col(text("country"))
        .col(text("currency"))
        .col(big_integer("base_minor"))
        .col(big_integer("per_kilogram_minor"))
        .col(big_integer_null("free_from_minor"))
        .primary_key(Index::create().col("seller_id").col("country").col("currency"))
        .take()
}

fn platform_rate() -> TableCreateStatement {
    Table::create()
        .table("platform_rate")
        .col(uuid("id").primary_key())
        .col(text("kind"))
        .col(text("country"))
        .col(text("region"))
        .col(big_integer("rate_bps"))
        .col(boolean("inclusive"))
        .col(timestamp_with_time_zone("valid_from"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn promotion() -> TableCreateStatement {
    Table::create()
        .table("promotion")
        .col(uuid("id").primary_key())
        .col(text_null("code"))
        .col(text("name"))
        .col(uuid_null("seller_id"))
        .col(text("benefit"))
        .col(big_integer("value"))
        .col(text("currency"))
        .col(big_integer("minimum_minor"))
        .col(timestamp_with_time_zone("starts_at"))
        .col(timestamp_with_time_zone_null("ends_at"))
        .col(big_integer_null("uses_max"))
        .col(big_integer_null("uses_per_buyer_max"))
        .col(big_integer("uses"))
        .col(timestamp_with_time_zone("created_at"))
        .check(Expr::cust("uses >= 0"))
        .check(Expr::cust("uses_max is null or uses <= uses_max"))
        .take()
}

fn promotion_buyer() -> TableCreateStatement {
    Table::create()
        .table("promotion_buyer")
        .col(uuid("promotion_id"))
        .col(uuid("user_id"))
        .col(big_integer("uses"))
        .primary_key(Index::create().col("promotion_id").col("user_id"))
        .check(Expr::cust("uses >= 0"))
        .take()
}

fn promotion_use() -> TableCreateStatement {
    Table::create()
        .table("promotion_use")
        .col(uuid("order_id"))
        .col(uuid("promotion_id"))
        .col(uuid_null("user_id"))
        .primary_key(Index::create().col("order_id").col("promotion_id"))
        .take()
}

fn tariff() -> TableCreateStatement {
    Table::create()
        .table("tariff")
        .col(uuid("whose").primary_key())
        .col(big_integer("revision"))
        .check(Expr::cust("revision >= 1"))
        .take()
}
