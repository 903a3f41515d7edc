//! A service's database: SQLite or PostgreSQL behind one type. Where the two differ, the difference is a function here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::Envelope;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{Notify, broadcast};

use crate::probe::Unwritable;

/// Connections of a PostgreSQL pool.
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// Connections that read a SQLite file beside its one writer.
const SQLITE_READERS_MAX: u32 = 4;
/// How long to wait for a free connection before the request fails as `UNAVAILABLE`.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process's write.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A PostgreSQL connection idle for this long is tried before use, so that a restarted server goes unnoticed.
const TRY_IDLE_AFTER: Duration = Duration::from_secs(1);
/// When a pool looks for connections that are old. Its counter of idle ones may pass below zero while one is handed on; a
/// look at that moment keeps a thread busy for ever (sqlx 0.9, `spawn_maintenance_tasks`).
const NEVER: Option<Duration> = None;
/// Events said and not yet seen by a slow live feed before it must start over.
const SAID_MAX: usize = 4_096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// One service's database.
#[derive(Clone)]
pub struct Database {
    service: &'static str,
    engine: Engine,
    write: DatabaseConnection,
    read: DatabaseConnection,
    look: DatabaseConnection,
    said: broadcast::Sender<Arc<Envelope>>,
    committed: Arc<Notify>,
    statements: Arc<AtomicU64>,
    looks: Arc<AtomicU64>,
    unwritable: Arc<Mutex<Option<Unwritable>>>,
}

impl Database {
    /// Opens the database of `service` at `url`: `sqlite:///folder/file.db` or `postgres://host/database`. On
    /// PostgreSQL the service lives in a schema of its own name, made when missing.
    ///
    /// # Errors
    /// The server does not answer, or the file cannot be opened or is no database.
    pub async fn open(service: &'static str, url: &str) -> Result<Self, DbErr> {
        let (statements, looks) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (engine, mut write, mut read) = match url.starts_with("sqlite:") {
            true => open_sqlite(url).await?,
            false => open_postgres(service, url).await?,
        };
        let mut look = read.clone();
        for (connection, count) in [(&mut write, &statements), (&mut read, &statements), (&mut look, &looks)]
        {
            let count = count.clone();
            connection.set_metric_callback(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        }
        let said = broadcast::Sender::new(SAID_MAX);
        let (committed, unwritable) = (Arc::default(), Arc::default());
        Ok(Self { service, engine, write, read, look, said, committed, statements, looks, unwritable })
    }

    pub fn service(&self) -> &'static str {
        self.service
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// For queries outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For workers that look whether there is something to do: counted apart from what is done.
    pub fn look(&self) -> &DatabaseConnection {
        &self.look
    }

    /// A look found what its worker works on: it is part of the work.
    pub(crate) fn found(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// For migrations and for single statements that write; an operation uses [`tx::run`](crate::tx::run).
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// SQL statements sent since the start, for metrics and for tests that fix their number; without [`looks`](Self::looks).
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// SQL statements by which workers have looked for something to do.
    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// What this process says from now on, after each commit.
    pub fn said(&self) -> broadcast::Receiver<Arc<Envelope>> {
        self.said.subscribe()
    }

    /// Resolves at a commit that said something.
    pub async fn committed(&self) {
        self.committed.notified().await;
    }

    pub(crate) fn announce(&self, events: Vec<Arc<Envelope>>) {
        if events.is_empty() {
            return;
        }
        for event in events {
            metrics::counter!("souk_events_total", "kind" => event.event.kind()).increment(1);
            // Nobody listening is fine: the outbox has it.
            _ = self.said.send(event);
        }
        self.committed.notify_one();
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once: a transaction that reads first
    /// and writes later would fail when somebody committed in between.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode =
            (self.engine == Engine::Sqlite).then_some(SqliteTransactionMode::Immediate);
        self.write
            .begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() })
            .await
    }

    /// Why the last write of the [`probe`](crate::probe) failed. `None`: it did not.
    pub fn unwritable(&self) -> Option<Unwritable> {
        *self.unwritable.lock().expect("no code panics while it holds this lock")
    }

    pub(crate) fn note_writable(&self, unwritable: Option<Unwritable>) {
        *self.unwritable.lock().expect("no code panics while it holds this lock") = unwritable;
    }

    /// Whether the file at a SQLite `url` is a database, if it is there at all. Makes nothing.
    ///
    /// # Errors
    /// It is no database, or cannot be opened.
    pub async fn check_file(url: &str) -> Result<(), DbErr> {
        let path = url.strip_prefix("sqlite://").map(|rest| rest.split('?').next().unwrap_or(rest));
        if !path.is_some_and(|path| std::path::Path::new(path).exists()) {
            return Ok(());
        }
        let mut options = sqlite_options(url, 1);
        options
            .map_sqlx_sqlite_opts(|sqlite| sqlite.create_if_missing(false).busy_timeout(SQLITE_BUSY_TIMEOUT));
        let file = sea_orm::Database::connect(options).await?;
        file.execute_unprepared("select count(*) from sqlite_master").await?;
        file.close().await
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.read.execute_unprepared("select 1").await.map(drop)
    }

    pub async fn close(&self) -> Result<(), DbErr> {
        self.read.close_by_ref().await?;
        self.write.close_by_ref().await
    }
}

async fn open_sqlite(url: &str) -> Result<(Engine, DatabaseConnection, DatabaseConnection), DbErr> {
    let write = sea_orm::Database::connect(sqlite_options(url, 1)).await?;
    let read = sea_orm::Database::connect(sqlite_options(url, SQLITE_READERS_MAX)).await?;
    Ok((Engine::Sqlite, write, read))
}

fn sqlite_options(url: &str, connections_max: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections_max)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(NEVER)
        .max_lifetime(NEVER)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .foreign_keys(true)
        });
    options
}

async fn open_postgres(
    service: &str,
    url: &str,
) -> Result<(Engine, DatabaseConnection, DatabaseConnection), DbErr> {
    knock(url).await?;
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(NEVER)
        .max_lifetime(NEVER)
        .test_before_acquire_if_idle_for(TRY_IDLE_AFTER)
        .set_schema_search_path(service)
        .set_application_name(format!("souk {service}"))
        .sqlx_logging(false);
    let pool = sea_orm::Database::connect(options).await?;
    pool.execute_unprepared(&format!("create schema if not exists {service}")).await?;
    Ok((Engine::Postgres, pool.clone(), pool))
}

/// Connects once: a pool would hide behind a timeout why it gets no connection.
async fn knock(url: &str) -> Result<(), DbErr> {
    let options: PgConnectOptions =
        url.parse().map_err(|error: sqlx::Error| no_connection(error.to_string()))?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let connected = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options)).await;
    let why = match connected {
        // Whether it hears the goodbye makes no difference.
        Ok(Ok(connection)) => return Ok(_ = connection.close().await),
        Ok(Err(sqlx::Error::Io(error))) => error.to_string(),
        Ok(Err(sqlx::Error::Database(refused))) => refused.message().to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", ACQUIRE_TIMEOUT.as_secs()),
    };
    Err(no_connection(format!("PostgreSQL at {place}: {why}")))
}

fn no_connection(why: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(why))
}
