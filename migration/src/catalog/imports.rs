//! Imports: files of goods on their way into the catalog.

use sea_orm_migration::{prelude::*, schema::*};

pub(super) struct Imports;

impl MigrationName for Imports {
    fn name(&self) -> &str {
        "m0022_catalog_imports"
    }
}

const INDEXES: [&str; 2] = [
    "create index import_job_by_owner on import_job (owner, id)",
    "create index import_job_by_file on import_job (file_hash, id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Imports {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(import_job()).await?;
        manager.create_table(import_chunk()).await?;
        manager.create_table(import_error()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn import_job() -> TableCreateStatement {
    Table::create()
        .table("import_job")
        .col(uuid("id").primary_key())
        .col(uuid_null("owner"))
        .col(uuid_null("seller_id"))
        .col(boolean("creates"))
        .col(boolean("dry_run"))
        .col(text("file_hash"))
        .col(text("state"))
        .col(big_integer_null("rows_total"))
        .col(big_integer("position"))
        .col(big_integer("rows_done"))
        .col(big_integer("rows_refused"))
        .col(big_integer("errors"))
        .col(big_integer("products"))
        .col(big_integer("proposals"))
        .col(big_integer("offers_new"))
        .col(big_integer("offers_changed"))
        .col(big_integer("unchanged"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn import_chunk() -> TableCreateStatement {
    Table::create()
        .table("import_chunk")
        .col(uuid("job_id"))
        .col(big_integer("position"))
        .col(text("batch"))
        .primary_key(Index::create().col("job_id").col("position"))
        .foreign_key(of_job("import_chunk").name("import_chunk_job"))
        .take()
}

fn import_error() -> TableCreateStatement {
    Table::create()
        .table("import_error")
        .col(uuid("job_id"))
        .col(big_integer("number"))
        .col(big_integer("line"))
        .col(integer_null("column_number"))
        .col(text_null("field"))
        .col(text("code"))
        .col(text("message"))
        .primary_key(Index::create().col("job_id").col("number"))
        .foreign_key(of_job("import_error").name("import_error_job"))
        .take()
}

fn of_job(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "job_id").to("import_job", "id").to_owned()
}
