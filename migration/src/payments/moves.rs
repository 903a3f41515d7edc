//! What is asked of providers, and what they said: steps, refunds, payouts, disputes, events, differences.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Moves;

impl MigrationName for Moves {
    fn name(&self) -> &str {
        "m0012_payments_moves"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Moves {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [payment_step(), refund(), payout(), dispute(), provider_event(), difference()] {
            manager.create_table(table).await?;
        }
        let db = manager.get_connection();
        for index in [
            // Most steps are done: the worker looks at the few that wait.
            "create index payment_step_due on payment_step (next_run_at) where state = 'waiting'",
            "create index payment_step_payment on payment_step (payment_id)",
            "create index refund_payment on refund (payment_id)",
            "create index payout_payment on payout (payment_id)",
            "create index payout_seller on payout (seller_id, id)",
            "create index dispute_payment on dispute (payment_id)",
            "create index difference_open on difference (id) where resolved_at is null",
        ] {
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }
}

fn payment_step() -> TableCreateStatement {
    Table::create()
        .table("payment_step")
        .col(uuid("id").primary_key())
        .col(uuid("payment_id"))
        .col(uuid("subject"))
        .col(text("kind"))
        .col(text_uniq("key"))
        .col(integer("epoch"))
        .col(text("state"))
        .col(boolean("reads"))
        .col(big_integer("amount_minor"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("next_run_at"))
        .col(uuid_null("claimed_by"))
        .col(timestamp_with_time_zone_null("claimed_until"))
        .col(timestamp_with_time_zone_null("first_sent_at"))
        .col(uuid_null("hold_id"))
        .col(text_null("last_error"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .foreign_key(ForeignKey::create().from("payment_step", "payment_id").to("payment", "id"))
        .take()
}

fn refund() -> TableCreateStatement {
    Table::create()
        .table("refund")
        .col(uuid("id").primary_key())
        .col(uuid("payment_id"))
        .col(big_integer("amount_minor"))
        .col(text("state"))
        .col(text("reason"))
        .col(text_null("reference"))
        .col(text_null("code"))
        .col(text_null("message"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .check(Expr::cust("amount_minor > 0"))
        .foreign_key(ForeignKey::create().from("refund", "payment_id").to("payment", "id"))
        .take()
}

fn payout() -> TableCreateStatement {
    Table::create()
        .table("payout")
        .col(uuid("id").primary_key())
        .col(uuid("payment_id"))
        .col(uuid("order_id"))
        .col(uuid("seller_id"))
        .col(text("currency"))
        .col(big_integer("gross_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("netted_minor"))
        .col(big_integer("amount_minor"))
        .col(big_integer("reversed_minor"))
        .col(text("state"))
        .col(text_null("reference"))
        .col(text_null("code"))
        .col(text_null("message"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .check(Expr::cust("amount_minor = gross_minor - tax_minor - fee_minor - netted_minor"))
        .check(Expr::cust("amount_minor >= 0 and netted_minor >= 0"))
        .check(Expr::cust("reversed_minor between 0 and amount_minor"))
        .foreign_key(ForeignKey::create().from("payout", "payment_id").to("payment", "id"))
        .take()
}

fn dispute() -> TableCreateStatement {
    Table::create()
        .table("dispute")
        .col(uuid("id").primary_key())
        .col(uuid("payment_id"))
        .col(text_uniq("reference"))
        .col(big_integer("amount_minor"))
        .col(big_integer("fee_minor"))
        .col(text("reason"))
        .col(text("status"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .check(Expr::cust("amount_minor > 0 and fee_minor >= 0"))
        .foreign_key(ForeignKey::create().from("dispute", "payment_id").to("payment", "id"))
        .take()
}

fn provider_event() -> TableCreateStatement {
    Table::create()
        .table("provider_event")
        .col(text("provider"))
        .col(text("event_id"))
        .col(text("kind"))
        .col(text_null("reference"))
        .col(text("body"))
        .col(text("state"))
        .col(timestamp_with_time_zone("received_at"))
        .primary_key(Index::create().col("provider").col("event_id"))
        .take()
}

fn difference() -> TableCreateStatement {
    Table::create()
        .table("difference")
        .col(uuid("id").primary_key())
        .col(text("provider"))
        .col(text("kind"))
        .col(text("currency"))
        .col(uuid_null("payment_id"))
        .col(big_integer("ledger_minor"))
        .col(big_integer("provider_minor"))
        .col(text("details"))
        .col(timestamp_with_time_zone("found_at"))
        .col(timestamp_with_time_zone_null("resolved_at"))
        .take()
}
