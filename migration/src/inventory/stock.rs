//! Locations, levels and the log of movements.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Stock;

impl MigrationName for Stock {
    fn name(&self) -> &str {
        "m0011_inventory_stock"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Stock {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(location()).await?;
        manager.create_table(stock_level()).await?;
        manager.create_table(location_level()).await?;
        manager.create_table(stock_movement()).await?;
        let db = manager.get_connection();
        for index in [
            "create unique index location_name on location (seller_id, name)",
            "create index location_level_location on location_level (location_id)",
            "create index stock_movement_log on stock_movement (offer_id, version, id)",
            "create index stock_movement_time on stock_movement (offer_id, at)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn location() -> TableCreateStatement {
    Table::create()
        .table("location")
        .col(uuid("id").primary_key())
        .col(uuid("seller_id"))
        .col(text("name"))
        .col(boolean("open"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

/// The last word on overselling: whatever the code does, these checks hold.
fn stock_level() -> TableCreateStatement {
    Table::create()
        .table("stock_level")
        .col(uuid("offer_id").primary_key())
        .col(big_integer("on_hand"))
        .col(big_integer("reserved"))
        .col(big_integer("available"))
        .col(big_integer("version"))
        .check(Expr::cust("available = on_hand - reserved"))
        .check(Expr::cust("available >= 0"))
        .check(Expr::cust("reserved >= 0"))
        .foreign_key(ForeignKey::create().from("stock_level", "offer_id").to("offer", "offer_id"))
        .take()
}

fn location_level() -> TableCreateStatement {
    Table::create()
        .table("location_level")
        .col(uuid("offer_id"))
        .col(uuid("location_id"))
        .col(big_integer("on_hand"))
        .primary_key(Index::create().col("offer_id").col("location_id"))
        .check(Expr::cust("on_hand >= 0"))
        .foreign_key(ForeignKey::create().from("location_level", "location_id").to("location", "id"))
        .take()
}

fn stock_movement() -> TableCreateStatement {
    Table::create()
        .table("stock_movement")
        .col(uuid("id").primary_key())
        .col(uuid("offer_id"))
        .col(uuid_null("location_id"))
        .col(text("kind"))
        .col(big_integer("on_hand_delta"))
        .col(big_integer("reserved_delta"))
        .col(text("actor"))
        .col(text_null("reason"))
        .col(uuid_null("reservation_id"))
        .col(uuid_null("order_id"))
        .col(uuid_null("shipment_id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("at"))
        .take()
}
