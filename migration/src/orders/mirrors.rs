//! What orders knows of offers, stock and sellers.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Mirrors;

impl MigrationName for Mirrors {
    fn name(&self) -> &str {
        "m0010_orders_mirrors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Mirrors {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [offer(), stock(), seller()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in ["create index seller_user on seller (user_id)"] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn offer() -> TableCreateStatement {
    Table::create()
        .table("offer")
        .col(uuid("offer_id").primary_key())
        .col(uuid("product_id"))
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(text("publication"))
        .col(big_integer("version"))
        .take()
}

fn stock() -> TableCreateStatement {
    Table::create()
        .table("stock")
        .col(uuid("offer_id").primary_key())
        .col(big_integer("available"))
        .col(big_integer("sequence"))
        .take()
}

fn seller() -> TableCreateStatement {
    Table::create()
        .table("seller")
        .col(uuid("seller_id").primary_key())
        .col(uuid("user_id"))
        .col(text("name"))
        .col(text("status"))
        .col(big_integer("version"))
        .take()
}
