//! Payments, the shares of sellers in them, and what is taken out of the shares.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Shares;

impl MigrationName for Shares {
    fn name(&self) -> &str {
        "m0011_payments_shares"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Shares {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(payment()).await?;
        manager.create_table(payment_share()).await?;
        manager.create_table(share_claim()).await?;
        manager.create_table(seller()).await?;
        manager.create_table(seller_account()).await?;
        let db = manager.get_connection();
        for index in [
            "create index payment_order on payment (order_id)",
            "create index payment_reference on payment (provider, reference)",
            "create index payment_attention on payment (id) where attention is not null",
            "create index payment_under_way on payment (updated_at)
             where state in ('authorising', 'needs_action', 'authorised', 'voiding', 'capturing')",
            "create index share_claim_payment on share_claim (payment_id)",
            "create index payment_share_seller on payment_share (seller_id)",
            "create index seller_user on seller (user_id)",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn payment() -> TableCreateStatement {
    Table::create()
        .table("payment")
        .col(uuid("id").primary_key())
        .col(uuid("order_id"))
        .col(uuid_null("user_id"))
        .col(text("provider"))
        .col(text("method"))
        .col(text("currency"))
        .col(big_integer("amount_minor"))
        .col(big_integer("captured_minor"))
        .col(big_integer("refunded_minor"))
        .col(integer("disputes_open"))
        .col(text("state"))
        .col(text_null("reference"))
        .col(text_null("charge"))
        .col(text_null("code"))
        .col(text_null("message"))
        .col(text_null("redirect_url"))
        .col(text_null("client_secret"))
        .col(text_null("void_reason"))
        .col(text_null("attention"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("held_until"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .check(Expr::cust("amount_minor >= 0"))
        .check(Expr::cust("captured_minor in (0, amount_minor)"))
        .check(Expr::cust("refunded_minor between 0 and captured_minor"))
        .check(Expr::cust("disputes_open >= 0"))
        .take()
}

fn payment_share() -> TableCreateStatement {
    Table::create()
        .table("payment_share")
        .col(uuid("payment_id"))
        .col(uuid("seller_id"))
        .col(big_integer("amount_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("claimed_minor"))
        .col(big_integer("claimed_tax_minor"))
        .col(big_integer("claimed_fee_minor"))
        .col(big_integer("released_minor"))
        .col(big_integer("released_tax_minor"))
        .col(big_integer("released_fee_minor"))
        .col(boolean("released"))
        .primary_key(Index::create().col("payment_id").col("seller_id"))
        .check(Expr::cust("claimed_minor between 0 and amount_minor"))
        .check(Expr::cust("claimed_tax_minor between 0 and tax_minor"))
        .check(Expr::cust("claimed_fee_minor between 0 and fee_minor"))
        .check(Expr::cust("released_minor between 0 and amount_minor"))
        .foreign_key(ForeignKey::create().from("payment_share", "payment_id").to("payment", "id"))
        .take()
}

fn share_claim() -> TableCreateStatement {
    Table::create()
        .table("share_claim")
        .col(uuid("subject"))
        .col(uuid("seller_id"))
        .col(uuid("payment_id"))
        .col(big_integer("amount_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("fee_minor"))
        .col(uuid_null("hold_id"))
        .col(text("state"))
        .primary_key(Index::create().col("subject").col("seller_id"))
        .check(Expr::cust("tax_minor >= 0 and fee_minor >= 0 and amount_minor >= tax_minor + fee_minor"))
        .foreign_key(ForeignKey::create().from("share_claim", "payment_id").to("payment", "id"))
        .take()
}

fn seller() -> TableCreateStatement {
    Table::create()
        .table("seller")
        .col(uuid("seller_id").primary_key())
        .col(uuid("user_id"))
        .col(big_integer("version"))
        .take()
}

fn seller_account() -> TableCreateStatement {
    Table::create()
        .table("seller_account")
        .col(uuid("seller_id"))
        .col(text("provider"))
        .col(text("account"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("seller_id").col("provider"))
        .take()
}
