//! Proposals: products that sellers bring and admins decide about.

use sea_orm_migration::{prelude::*, schema::*};

pub(super) struct Proposals;

impl MigrationName for Proposals {
    fn name(&self) -> &str {
        "m0021_catalog_proposals"
    }
}

const INDEXES: [&str; 3] = [
    "create index proposal_by_state on proposal (state, id)",
    "create index proposal_by_seller on proposal (seller_id, id)",
    "create unique index proposal_product on proposal (product_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Proposals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(proposal()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn proposal() -> TableCreateStatement {
    Table::create()
        .table("proposal")
        .col(uuid("id").primary_key())
        .col(uuid("product_id"))
        .col(uuid("variant_id"))
        .col(uuid("seller_id"))
        .col(uuid("proposed_by"))
        .col(text("state"))
        .col(text_null("new_because"))
        .col(text_null("terms"))
        .col(uuid_null("listing_id"))
        .col(text_null("decision"))
        .col(uuid_null("decided_by"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(
            ForeignKey::create()
                .name("proposal_of_product")
                .from("proposal", "product_id")
                .to("product", "id"),
        )
        .take()
}
