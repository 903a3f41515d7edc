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

    /// Whether trying again later can help: the database is away or busy.
    pub fn is_retryable(&self) -> bool {
        self.0.chain().any(|cause| cause.downcast_ref::<DbErr>().is_some_and(database_is_away))
    }
}

/// Whether the database could not be reached, as opposed to having refused the statement.
pub fn database_is_away(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => true,
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => connection_broke(cause),
        DbErr::Conn(_) => true,
        _ => false,
    }
}

/// SQLSTATE classes that say "not now": connection exceptions, out of resources, shutting down; and SQLite's "busy".
const NOT_NOW: [&str; 4] = ["08", "53", "57P", "5"];

fn connection_broke(error: &sea_orm::sqlx::Error) -> bool {
    use sea_orm::sqlx::Error;
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::Tls(_) | Error::WorkerCrashed => true,
        Error::Database(refused) => refused.code().is_some_and(|code| match code.len() {
            5 => NOT_NOW[..3].iter().any(|class| code.starts_with(class)),
            _ => code == NOT_NOW[3],
        }),
        _ => false,
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
