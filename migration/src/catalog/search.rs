//! What the search index follows: which products changed, and which attributes are facets.

use sea_orm_migration::{prelude::*, schema::*};

pub(super) struct Search;

impl MigrationName for Search {
    fn name(&self) -> &str {
        "m0015_catalog_search"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Search {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(search_change()).await?;
        manager.create_table(search_feed()).await?;
        let filterable = boolean("filterable").default(false).take();
        manager.alter_table(Table::alter().table("attribute").add_column(filterable).take()).await?;
        let db = manager.get_connection();
        db.execute_unprepared(
            "create index search_change_by_revision on search_change (revision, product_id)",
        )
        .await?;
        db.execute_unprepared("update attribute set filterable = true where kind in ('one_of', 'boolean')")
            .await?;
        let feed = Query::insert()
            .into_table("search_feed")
            .columns(["id"])
            .values_panic([uuid::Uuid::now_v7().into()])
            .take();
        manager.execute(feed).await
    }
}

/// The last change of each product that has changed since the table is there.
fn search_change() -> TableCreateStatement {
    Table::create()
        .table("search_change")
        .col(uuid("product_id").primary_key())
        .col(big_integer("revision"))
        .col(timestamp_with_time_zone("changed_at"))
        .take()
}

/// One row: which database this is. An index that followed another one is of no use.
fn search_feed() -> TableCreateStatement {
    Table::create().table("search_feed").col(uuid("id").primary_key()).take()
}
