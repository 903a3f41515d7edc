//! Orders, their log, and how far they are.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Sales;

impl MigrationName for Sales {
    fn name(&self) -> &str {
        "m0013_orders_sales"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sales {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [orders(), order_line(), order_share(), order_event(), settlement()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index orders_user on orders (user_id, id)",
            "create index order_share_seller on order_share (seller_id, order_id)",
            "create index settlement_due on settlement (next_run_at) where next_run_at is not null",
            "create index settlement_state on settlement (state, order_id)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn orders() -> TableCreateStatement {
    Table::create()
        .table("orders")
        .col(uuid("id").primary_key())
        .col(uuid_null("user_id"))
        .col(uuid("cart_id"))
        .col(text("currency"))
        .col(big_integer("total_minor"))
        .col(blob("contact_sealed"))
        .col(text("plan"))
        .col(timestamp_with_time_zone("placed_at"))
        .take()
}

fn order_line() -> TableCreateStatement {
    Table::create()
        .table("order_line")
        .col(uuid("order_id"))
        .col(integer("number"))
        .col(uuid("offer_id"))
        .col(uuid("product_id"))
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(big_integer("quantity"))
        .col(big_integer("unit_minor"))
        .col(big_integer("goods_minor"))
        .col(big_integer("discount_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("total_minor"))
        .primary_key(Index::create().col("order_id").col("number"))
        .take()
}

fn order_share() -> TableCreateStatement {
    Table::create()
        .table("order_share")
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(big_integer("goods_minor"))
        .col(big_integer("discount_minor"))
        .col(big_integer("shipping_minor"))
        .col(big_integer("shipping_total_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("total_minor"))
        .primary_key(Index::create().col("order_id").col("seller_id"))
        .take()
}

fn order_event() -> TableCreateStatement {
    Table::create()
        .table("order_event")
        .col(uuid("order_id"))
        .col(big_integer("sequence"))
        .col(text("kind"))
        .col(text("actor"))
        .col(text("details"))
        .col(timestamp_with_time_zone("at"))
        .primary_key(Index::create().col("order_id").col("sequence"))
        .take()
}

fn settlement() -> TableCreateStatement {
    Table::create()
        .table("settlement")
        .col(uuid("order_id").primary_key())
        .col(text("state"))
        .col(big_integer("amount_minor"))
        .col(integer("repeats"))
        .col(timestamp_with_time_zone_null("next_run_at"))
        .col(text_null("failure"))
        .col(text_null("action"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}
