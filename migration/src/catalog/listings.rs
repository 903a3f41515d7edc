//! Listings: acts of offering something and stocking it; what a product or variant was merged into.

use sea_orm_migration::{prelude::*, schema::*};

use super::text_by_bytes;

pub(super) struct Listings;

impl MigrationName for Listings {
    fn name(&self) -> &str {
        "m0020_catalog_listings"
    }
}

const INDEXES: [&str; 5] = [
    "create index listing_by_seller on listing (seller_id, id)",
    "create unique index listing_shipment on listing (shipment_id)",
    "create index product_by_match on product (match_key, id)",
    "create index product_by_survivor on product (merged_into)",
    "create index variant_by_survivor on variant (merged_into)",
];

#[async_trait::async_trait]
impl MigrationTrait for Listings {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(listing()).await?;
        add(manager, "product", uuid_null("merged_into")).await?;
        add(manager, "variant", uuid_null("merged_into")).await?;
        add(manager, "product", text_by_bytes("match_key", manager).null()).await?;
        let db = manager.get_connection();
        // A title in lower case finds the like until the product changes; then its words do.
        db.execute_unprepared("update product set match_key = title_key").await?;
        for index in INDEXES {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: impl IntoColumnDef,
) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

fn listing() -> TableCreateStatement {
    Table::create()
        .table("listing")
        .col(uuid("id").primary_key())
        .col(uuid("seller_id"))
        .col(uuid("offer_id"))
        .col(big_integer("quantity"))
        .col(uuid_null("location_id"))
        .col(uuid_null("shipment_id"))
        .col(text("state"))
        .col(text_null("refused_because"))
        .col(uuid("listed_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(ForeignKey::create().name("listing_offer").from("listing", "offer_id").to("offer", "id"))
        .check(Expr::cust("quantity >= 0"))
        .take()
}
