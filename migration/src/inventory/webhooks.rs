//! Webhooks: addresses outside that are told of stock, what they have not been told, and the log of deliveries.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Webhooks;

impl MigrationName for Webhooks {
    fn name(&self) -> &str {
        "m0015_inventory_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Webhooks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [webhook(), webhook_change(), webhook_delivery()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index webhook_seller on webhook (seller_id)",
            "create index webhook_delivery_log on webhook_delivery (webhook_id, id)",
            // One message at a time: what a webhook is told comes in order.
            "create unique index webhook_delivery_waiting on webhook_delivery (webhook_id) where state = 'waiting'",
            "create index webhook_delivery_age on webhook_delivery (created_at)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn webhook() -> TableCreateStatement {
    Table::create()
        .table("webhook")
        .col(uuid("id").primary_key())
        .col(uuid("seller_id"))
        .col(text("url"))
        .col(boolean("enabled"))
        .col(timestamp_with_time_zone_null("failing_since"))
        .col(boolean("given_up"))
        .col(timestamp_with_time_zone("claimed_until"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn webhook_change() -> TableCreateStatement {
    Table::create()
        .table("webhook_change")
        .col(uuid("webhook_id"))
        .col(uuid("offer_id"))
        .col(uuid("variant_id"))
        .col(big_integer("on_hand"))
        .col(big_integer("reserved"))
        .col(big_integer("available"))
        .col(big_integer("sequence"))
        .col(timestamp_with_time_zone("changed_at"))
        .primary_key(Index::create().col("webhook_id").col("offer_id"))
        .foreign_key(ForeignKey::create().from("webhook_change", "webhook_id").to("webhook", "id"))
        .take()
}

fn webhook_delivery() -> TableCreateStatement {
    Table::create()
        .table("webhook_delivery")
        .col(uuid("id").primary_key())
        .col(uuid("webhook_id"))
        .col(text("body"))
        .col(integer("changes"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("began_at"))
        .col(timestamp_with_time_zone("next_attempt_at"))
        .col(timestamp_with_time_zone_null("last_attempt_at"))
        .col(integer_null("last_status"))
        .col(text_null("last_error"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(ForeignKey::create().from("webhook_delivery", "webhook_id").to("webhook", "id"))
        .take()
}
