//! The category tree.

use sea_orm_migration::{prelude::*, schema::*};

use super::text_by_bytes;

pub(super) struct Categories;

impl MigrationName for Categories {
    fn name(&self) -> &str {
        "m0011_catalog_categories"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Categories {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(category(manager)).await?;
        manager.create_table(category_tree()).await?;
        manager.create_table(product_category()).await?;
        let db = manager.get_connection();
        db.execute_unprepared("insert into category_tree (id, changes) values (1, 0)").await?;
        db.execute_unprepared("create index category_by_parent on category (parent_id, handle)").await?;
        db.execute_unprepared("create index category_by_path on category (path)").await?;
        db.execute_unprepared(
            "create index product_category_by_category on product_category (category_id, product_id)",
        )
        .await?;
        Ok(())
    }
}

fn category(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("category")
        .col(uuid("id").primary_key())
        .col(uuid_null("parent_id"))
        .col(text("name"))
        .col(text_by_bytes("handle", manager).not_null().unique_key())
        .col(text_by_bytes("path", manager).not_null())
        .col(big_integer("version"))
        .foreign_key(
            ForeignKey::create().name("category_parent").from("category", "parent_id").to("category", "id"),
        )
        .take()
}

fn category_tree() -> TableCreateStatement {
    Table::create().table("category_tree").col(integer("id").primary_key()).col(big_integer("changes")).take()
}

fn product_category() -> TableCreateStatement {
    Table::create()
        .table("product_category")
        .col(uuid("product_id"))
        .col(uuid("category_id"))
        .primary_key(Index::create().col("product_id").col("category_id"))
        .foreign_key(
            ForeignKey::create()
                .name("product_category_product")
                .from("product_category", "product_id")
                .to("product", "id"),
        )
        .foreign_key(
            ForeignKey::create()
                .name("product_category_category")
                .from("product_category", "category_id")
                .to("category", "id"),
        )
        .take()
}
