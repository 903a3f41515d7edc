//! The ledger: accounts, and transfers that nobody can change.

use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::{prelude::*, schema::*};

pub struct Ledger;

impl MigrationName for Ledger {
    fn name(&self) -> &str {
        "m0010_payments_ledger"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ledger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(account()).await?;
        manager.create_table(transfer()).await?;
        let db = manager.get_connection();
        for index in [
            "create index ledger_account_seller on ledger_account (seller_id) where seller_id is not null",
            "create index ledger_account_order on ledger_account (order_id) where order_id is not null",
            "create index ledger_transfer_seller on ledger_transfer (seller_id, id) where seller_id is not null",
            "create index ledger_transfer_payment on ledger_transfer (payment_id)",
            "create unique index ledger_transfer_settled_once on ledger_transfer (pending_id)
             where pending_id is not null",
        ] {
            db.execute_unprepared(index).await?;
        }
        for statement in append_only(manager.get_database_backend()) {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// The last word on money: whatever the code does, these checks hold.
fn account() -> TableCreateStatement {
    Table::create()
        .table("ledger_account")
        .col(text("id").primary_key())
        .col(text("kind"))
        .col(text("currency"))
        .col(uuid_null("order_id"))
        .col(uuid_null("seller_id"))
        .col(big_integer("debits_posted"))
        .col(big_integer("credits_posted"))
        .col(big_integer("debits_pending"))
        .col(big_integer("credits_pending"))
        .col(text("floor"))
        .check(Expr::cust("debits_pending >= 0 and credits_pending >= 0"))
        .check(Expr::cust("floor <> 'credit' or credits_posted - debits_posted - debits_pending >= 0"))
        .check(Expr::cust("floor <> 'debit' or debits_posted - credits_posted - credits_pending >= 0"))
        .take()
}

fn transfer() -> TableCreateStatement {
    Table::create()
        .table("ledger_transfer")
        .col(uuid("id").primary_key())
        .col(text("kind"))
        .col(uuid_null("pending_id"))
        .col(text("debit"))
        .col(text("credit"))
        .col(big_integer("amount_minor"))
        .col(text("currency"))
        .col(text("reason"))
        .col(text_uniq("key"))
        .col(uuid_null("payment_id"))
        .col(uuid_null("order_id"))
        .col(uuid_null("seller_id"))
        .col(timestamp_with_time_zone("at"))
        .check(Expr::cust("amount_minor > 0"))
        .check(Expr::cust("debit <> credit"))
        .check(Expr::cust("(kind in ('post', 'void')) = (pending_id is not null)"))
        .foreign_key(ForeignKey::create().from("ledger_transfer", "debit").to("ledger_account", "id"))
        .foreign_key(ForeignKey::create().from("ledger_transfer", "credit").to("ledger_account", "id"))
        .take()
}

/// A correction is a new transfer.
fn append_only(engine: DbBackend) -> &'static [&'static str] {
    match engine {
        DbBackend::Sqlite => &[
            "create trigger ledger_transfer_unchanged before update on ledger_transfer
             begin select raise(abort, 'the ledger is append-only'); end",
            "create trigger ledger_transfer_undeleted before delete on ledger_transfer
             begin select raise(abort, 'the ledger is append-only'); end",
        ],
        _ => &[
            "create function ledger_is_append_only() returns trigger language plpgsql as
             $$ begin raise exception 'the ledger is append-only'; end $$",
            "create trigger ledger_transfer_kept before update or delete on ledger_transfer
             for each row execute function ledger_is_append_only()",
        ],
    }
}
