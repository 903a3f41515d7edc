//! Offers, their prices and the mirror of the sellers who make them.

use sea_orm_migration::{prelude::*, schema::*};

pub(super) struct Offers;

impl MigrationName for Offers {
    fn name(&self) -> &str {
        "m0012_catalog_offers"
    }
}

const INDEXES: [&str; 5] = [
    "create unique index offer_once on offer (seller_id, variant_id, condition)",
    "create index offer_by_variant on offer (variant_id, currency, price_minor, id)",
    "create index offer_by_product on offer (product_id, currency, price_minor, id)",
    "create index offer_by_seller on offer (seller_id, id)",
    "create index seller_by_user on seller (user_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Offers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(seller()).await?;
        manager.create_table(offer()).await?;
        manager.create_table(offer_price()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

/// Offers do not refer to it: what accounts says may come later than an import.
fn seller() -> TableCreateStatement {
    Table::create()
        .table("seller")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("name"))
        .col(text("status"))
        .col(big_integer("version"))
        .take()
}

fn offer() -> TableCreateStatement {
    Table::create()
        .table("offer")
        .col(uuid("id").primary_key())
        .col(uuid("product_id"))
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(text("condition"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(text("publication"))
        .col(big_integer("available").default(0))
        .col(big_integer("stock_sequence").default(0))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(
            ForeignKey::create().name("offer_variant").from("offer", "variant_id").to("variant", "id"),
        )
        .check(Expr::cust("price_minor > 0"))
        .check(Expr::cust("available >= 0"))
        .take()
}

fn offer_price() -> TableCreateStatement {
    Table::create()
        .table("offer_price")
        .col(uuid("offer_id"))
        .col(big_integer("version"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(timestamp_with_time_zone("since"))
        .primary_key(Index::create().col("offer_id").col("version"))
        .foreign_key(
            ForeignKey::create().name("offer_price_offer").from("offer_price", "offer_id").to("offer", "id"),
        )
        .take()
}
