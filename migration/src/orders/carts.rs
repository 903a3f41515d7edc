//! Carts and their lines.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Carts;

impl MigrationName for Carts {
    fn name(&self) -> &str {
        "m0012_orders_carts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Carts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [cart(), cart_line()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            "create unique index cart_token on cart (token_hash)",
            "create unique index cart_of_user on cart (user_id) where state in ('open', 'checking_out')",
            "create index cart_order on cart (order_id)",
            "create index cart_age on cart (updated_at)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn cart() -> TableCreateStatement {
    Table::create()
        .table("cart")
        .col(uuid("id").primary_key())
        .col(uuid_null("user_id"))
        .col(blob_null("token_hash"))
        .col(text_null("promotion_code"))
        .col(text("state"))
        .col(uuid_null("order_id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn cart_line() -> TableCreateStatement {
    Table::create()
        .table("cart_line")
        .col(uuid("cart_id"))
        .col(uuid("offer_id"))
        .col(big_integer("quantity"))
        .col(big_integer("added_minor"))
        .col(text("added_currency"))
        .col(timestamp_with_time_zone("added_at"))
        .primary_key(Index::create().col("cart_id").col("offer_id"))
        .check(Expr::cust("quantity >= 1"))
        .foreign_key(ForeignKey::create().from("cart_line", "cart_id").to("cart", "id"))
        .take()
}
