//! Stock feeds: the systems outside that report stock, and what they sent.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Feeds;

impl MigrationName for Feeds {
    fn name(&self) -> &str {
        "m0014_inventory_feeds"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Feeds {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [variant(), shared_secret(), feed(), feed_mark(), feed_batch(), feed_batch_chunk()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index variant_sku on variant (sku)",
            "create index variant_gtin on variant (gtin)",
            "create index shared_secret_owner on shared_secret (owner_id)",
            "create unique index feed_name on feed (seller_id, name)",
            "create unique index feed_batch_key on feed_batch (feed_id, key)",
            "create index feed_batch_log on feed_batch (feed_id, id)",
            "create index feed_batch_age on feed_batch (received_at)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn variant() -> TableCreateStatement {
    Table::create()
        .table("variant")
        .col(uuid("variant_id").primary_key())
        .col(text_null("sku"))
        .col(text_null("gtin"))
        .col(big_integer("version"))
        .take()
}

fn shared_secret() -> TableCreateStatement {
    Table::create()
        .table("shared_secret")
        .col(uuid("id").primary_key())
        .col(uuid("owner_id"))
        .col(binary("sealed"))
        .col(timestamp_with_time_zone_null("valid_until"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn feed() -> TableCreateStatement {
    Table::create()
        .table("feed")
        .col(uuid("id").primary_key())
        .col(uuid("seller_id"))
        .col(uuid("location_id"))
        .col(text("name"))
        .col(text("matches_by"))
        .col(text("orders_by"))
        .col(boolean("enabled"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(ForeignKey::create().from("feed", "location_id").to("location", "id"))
        .take()
}

fn feed_mark() -> TableCreateStatement {
    Table::create()
        .table("feed_mark")
        .col(uuid("feed_id"))
        .col(uuid("offer_id"))
        .col(big_integer("position"))
        .col(big_integer("quantity"))
        .primary_key(Index::create().col("feed_id").col("offer_id"))
        .foreign_key(ForeignKey::create().from("feed_mark", "feed_id").to("feed", "id"))
        .take()
}

fn feed_batch() -> TableCreateStatement {
    Table::create()
        .table("feed_batch")
        .col(uuid("id").primary_key())
        .col(uuid("feed_id"))
        .col(text("key"))
        .col(text("body_hash"))
        .col(timestamp_with_time_zone("sent_at"))
        .col(timestamp_with_time_zone("received_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(integer("lines"))
        .col(integer("lines_done"))
        .col(integer("applied"))
        .col(integer("limited"))
        .col(integer("unchanged"))
        .col(integer("stale"))
        .col(integer("refused"))
        .foreign_key(ForeignKey::create().from("feed_batch", "feed_id").to("feed", "id"))
        .take()
}

fn feed_batch_chunk() -> TableCreateStatement {
    Table::create()
        .table("feed_batch_chunk")
        .col(uuid("batch_id"))
        .col(integer("first_line"))
        .col(text("answers"))
        .primary_key(Index::create().col("batch_id").col("first_line"))
        .foreign_key(
            ForeignKey::create()
                .from("feed_batch_chunk", "batch_id")
                .to("feed_batch", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
