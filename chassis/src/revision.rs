//! Revisions: numbers for a table of changes that many readers follow, each at its own pace, without losing a change that
//! commits late. Such a table has a column `revision`; its rows are changed and added, never removed.

use sea_orm::{FromQueryResult, Statement};

use crate::{Database, Engine, Failure};

/// SQL for the revision of the transaction that writes to `table`. It rises, but on PostgreSQL transactions may commit in
/// another order: a reader goes back to what [`settled`] says.
pub fn sql(engine: Engine, table: &str) -> String {
    match engine {
        // One writer at a time: numbers come in the order of the commits.
        Engine::Sqlite => format!("(select coalesce(max(revision), 0) + 1 from {table})"),
        Engine::Postgres => "pg_current_xact_id()::text::bigint".into(),
    }
}

#[derive(FromQueryResult)]
struct Settled {
    settled: i64,
}

/// No transaction that is still open, or begins later, will write a revision up to this one into `table`. Ask before
/// reading the changes.
///
/// # Errors
/// The database does not answer.
pub async fn settled(db: &Database, table: &str) -> Result<i64, Failure> {
    let sql = match db.engine() {
        Engine::Sqlite => format!("select coalesce(max(revision), 0) as settled from {table}"),
        Engine::Postgres => {
            "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as settled".into()
        }
    };
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    let row = Settled::find_by_statement(statement).one(db.read()).await?;
    row.map(|row| row.settled).ok_or_else(|| Failure::msg("an aggregate gave no row"))
}
