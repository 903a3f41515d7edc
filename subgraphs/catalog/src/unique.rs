//! What a unique index said.

use sea_orm::{DbErr, SqlErr};

/// Whether `error` is a unique index that covers `column` refusing a second row. On PostgreSQL the transaction is over
/// then: answer with a refusal, which rolls it back.
pub(crate) fn broken(error: &DbErr, column: &str) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(message)) if message.contains(column))
}
