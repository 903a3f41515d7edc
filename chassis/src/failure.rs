//! What went wrong on our side, as opposed to a refusal, which is the caller's news.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

/// A failure is ours: `Err`. A refusal `R` is the caller's and must be answered: `Ok(Err(…))`.
pub type Outcome<T, R> = Result<Result<T, R>, Failure>;

/// Something that should have worked did not. Logged once, in full, at the edge; the client sees only a code.
pub struct Failure(anyhow::Error);

impl Failure {
    /// A failure that no other error caused.
    pub fn msg(message: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self(anyhow::Error::msg(message))
    }

    /// Whether this is, or was caused by, an `E`.
    pub fn is<E: std::error::Error + Send + Sync + 'static>(&self) -> bool {
        self.0.chain().any(|cause| cause.is::<E>())
    }

    /// Whether trying again later can help: the database is away or busy.
    pub fn is_retryable(&self) -> bool {
        self.0.chain().any(|cause| cause.downcast_ref::<DbErr>().is_some_and(database_is_away))
    }
}

/// Whether the database could not be reached or cannot work now, as opposed to having refused the statement.
pub fn database_is_away(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(_) => true,
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => true,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            cannot_work(cause)
        }
        _ => false,
    }
}

/// SQLSTATE classes of PostgreSQL that say "not now": connection exceptions, out of resources, shutting down, and
/// a database that takes no connections.
const POSTGRES_NOT_NOW: [&str; 4] = ["08", "53", "57P", "55000"];
/// Result codes of SQLite that say "not now": busy, an IO error, a full disk.
const SQLITE_NOT_NOW: [i32; 3] = [5, 10, 13];

fn cannot_work(error: &sea_orm::sqlx::Error) -> bool {
    use sea_orm::sqlx::Error;
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::Tls(_) | Error::WorkerCrashed => true,
        Error::Database(refused) => refused.code().is_some_and(|code| is_not_now(&code)),
        _ => false,
    }
}

/// SQLSTATEs have five characters; SQLite's codes are numbers, whose low byte is the plain one.
fn is_not_now(code: &str) -> bool {
    match code.parse::<i32>() {
        Ok(extended) if code.len() < 5 => SQLITE_NOT_NOW.contains(&(extended & 0xff)),
        _ => POSTGRES_NOT_NOW.iter().any(|class| code.starts_with(class)),
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::is_not_now;

    #[test]
    fn a_full_disk_and_a_restart_pass_but_a_bad_statement_stays() {
        for (code, passes) in
            [("13", true), ("5", true), ("517", true), ("778", true), ("57P01", true), ("08006", true)]
        {
            assert_eq!(is_not_now(code), passes, "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42P01"] {
            assert!(!is_not_now(code), "{code}");
        }
    }
}
