//! Stock on its way to locations.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Shipments;

impl MigrationName for Shipments {
    fn name(&self) -> &str {
        "m0013_inventory_shipments"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shipments {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(inbound_shipment()).await?;
        manager.create_table(inbound_shipment_line()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("create index inbound_shipment_seller on inbound_shipment (seller_id, id)")
            .await?;
        Ok(())
    }
}

fn inbound_shipment() -> TableCreateStatement {
    Table::create()
        .table("inbound_shipment")
        .col(uuid("id").primary_key())
        .col(uuid("seller_id"))
        .col(uuid("location_id"))
        .col(text("state"))
        .col(text_null("reference"))
        .col(timestamp_with_time_zone_null("expected_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("closed_at"))
        .foreign_key(ForeignKey::create().from("inbound_shipment", "location_id").to("location", "id"))
        .take()
}

fn inbound_shipment_line() -> TableCreateStatement {
    Table::create()
        .table("inbound_shipment_line")
        .col(uuid("shipment_id"))
        .col(uuid("offer_id"))
        .col(big_integer("expected"))
        .col(big_integer_null("received"))
        .primary_key(Index::create().col("shipment_id").col("offer_id"))
        .foreign_key(
            ForeignKey::create().from("inbound_shipment_line", "shipment_id").to("inbound_shipment", "id"),
        )
        .take()
}
