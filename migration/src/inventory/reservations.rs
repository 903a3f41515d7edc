//! Promises of stock and their lines.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Reservations;

impl MigrationName for Reservations {
    fn name(&self) -> &str {
        "m0012_inventory_reservations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Reservations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(reservation()).await?;
        manager.create_table(reservation_line()).await?;
        // The sweeper looks at the few that are active.
        let db = manager.get_connection();
        db.execute_unprepared(
            "create index reservation_expiry on reservation (expires_at) where state = 'active'",
        )
        .await?;
        Ok(())
    }
}

fn reservation() -> TableCreateStatement {
    Table::create()
        .table("reservation")
        .col(uuid("id").primary_key())
        .col(uuid_null("order_id"))
        .col(uuid_null("seller_id"))
        .col(text("state"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(text_null("reason"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn reservation_line() -> TableCreateStatement {
    Table::create()
        .table("reservation_line")
        .col(uuid("reservation_id"))
        .col(uuid("offer_id"))
        .col(big_integer("quantity"))
        .col(big_integer_null("short_available"))
        .primary_key(Index::create().col("reservation_id").col("offer_id"))
        .foreign_key(ForeignKey::create().from("reservation_line", "reservation_id").to("reservation", "id"))
        .take()
}
