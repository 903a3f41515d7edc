//! What inventory knows of offers and sellers.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Mirrors;

impl MigrationName for Mirrors {
    fn name(&self) -> &str {
        "m0010_inventory_mirrors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Mirrors {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(offer()).await?;
        manager.create_table(seller()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("create index offer_variant on offer (variant_id)").await?;
        db.execute_unprepared("create index offer_seller on offer (seller_id)").await?;
        db.execute_unprepared("create index seller_user on seller (user_id)").await?;
        Ok(())
    }
}

fn offer() -> TableCreateStatement {
    Table::create()
        .table("offer")
        .col(uuid("offer_id").primary_key())
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(text("publication"))
        .col(big_integer("version"))
        .take()
}

fn seller() -> TableCreateStatement {
    Table::create()
        .table("seller")
        .col(uuid("seller_id").primary_key())
        .col(uuid("user_id"))
        .col(text("status"))
        .col(big_integer("version"))
        .take()
}
