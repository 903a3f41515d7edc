//! What happens to paid orders: parcels, refunds, returns, and sellers who have earned their share.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Afterwards;

impl MigrationName for Afterwards {
    fn name(&self) -> &str {
        "m0014_orders_afterwards"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Afterwards {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [fulfilment(), refund(), order_return(), payout()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index fulfilment_order on fulfilment (order_id)",
            "create index fulfilment_due on fulfilment (deliver_by) where deliver_by is not null",
            "create index refund_order on refund (order_id)",
            "create index order_return_order on order_return (order_id)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn fulfilment() -> TableCreateStatement {
    Table::create()
        .table("fulfilment")
        .col(uuid("id").primary_key())
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(text("carrier"))
        .col(text_null("tracking"))
        .col(text("lines"))
        .col(timestamp_with_time_zone("shipped_at"))
        .col(timestamp_with_time_zone_null("deliver_by"))
        .col(timestamp_with_time_zone_null("delivered_at"))
        .take()
}

fn refund() -> TableCreateStatement {
    Table::create()
        .table("refund")
        .col(uuid("id").primary_key())
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(text("kind"))
        .col(text("state"))
        .col(text("lines"))
        .col(big_integer("amount_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("shipping_minor"))
        .col(text("reason"))
        .col(timestamp_with_time_zone("asked_at"))
        .col(timestamp_with_time_zone_null("settled_at"))
        .check(Expr::cust("amount_minor >= 0"))
        .take()
}

fn order_return() -> TableCreateStatement {
    Table::create()
        .table("order_return")
        .col(uuid("id").primary_key())
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(text("state"))
        .col(text("lines"))
        .col(text("reason"))
        .col(text_null("answer"))
        .col(uuid_null("refund_id"))
        .col(timestamp_with_time_zone("requested_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn payout() -> TableCreateStatement {
    Table::create()
        .table("payout")
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(uuid("id"))
        .col(timestamp_with_time_zone("asked_at"))
        .col(timestamp_with_time_zone_null("released_at"))
        .primary_key(Index::create().col("order_id").col("seller_id"))
        .take()
}
