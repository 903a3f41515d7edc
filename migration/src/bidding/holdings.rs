//! Money that is held for bids.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Holdings;

impl MigrationName for Holdings {
    fn name(&self) -> &str {
        "m0038_bidding_holdings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Holdings {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = uuid_null("holding_id");
        manager.alter_table(Table::alter().table("bidding_order").add_column(column).take()).await?;
        for table in [holding(), holding_piece()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create index holding_open on holding (created_at) where lapsed or state in ('asked', 'held')",
            "create index holding_over on holding (created_at) where state in ('declined', 'refused', 'late')",
            "create index holding_piece_holding on holding_piece (holding_id, position)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn holding() -> TableCreateStatement {
    Table::create()
        .table("holding")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(uuid("market_id"))
        .col(text("operation"))
        .col(text("key"))
        .col(big_integer("price_minor"))
        .col(big_integer("quantity"))
        .col(big_integer_null("days"))
        .col(text("payment_method"))
        .col(uuid("address_id"))
        .col(text("request_hash"))
        .col(text("state"))
        .col(text_null("code"))
        .col(text_null("message"))
        .col(timestamp_with_time_zone_null("held_until"))
        .col(integer_null("partition"))
        .col(big_integer_null("number"))
        .col(boolean("lapsed"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn holding_piece() -> TableCreateStatement {
    Table::create()
        .table("holding_piece")
        .col(uuid("payment_id").primary_key())
        .col(uuid("holding_id"))
        .col(big_integer("position"))
        .col(text("state"))
        .col(timestamp_with_time_zone_null("held_until"))
        .col(big_integer_null("trade"))
        .take()
}
