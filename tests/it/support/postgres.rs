//! A PostgreSQL database cloned from a migrated template, removed at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use souk::market;
use tokio::sync::{Mutex, OnceCell, OwnedSemaphorePermit, Semaphore};

use super::{Store, skip};

/// Databases in use at once: each costs three pools of connections.
const SCRATCH_MAX: usize = 2;

/// Opened by each test anew: a connection belongs to the runtime of the test that made it.
pub struct Scratch {
    url: String,
    pub name: String,
    _permit: OwnedSemaphorePermit,
}

static TEMPLATE: OnceCell<Option<String>> = OnceCell::const_new();
static CLONING: Mutex<()> = Mutex::const_new(());
static NUMBER: AtomicU32 = AtomicU32::new(0);
static PERMITS: std::sync::LazyLock<Arc<Semaphore>> =
    std::sync::LazyLock::new(|| Arc::new(Semaphore::new(SCRATCH_MAX)));

/// `None`: there is no server, and that was said.
pub async fn store() -> Option<Store> {
    let template = TEMPLATE.get_or_init(make_template).await.as_ref()?;
    let permit = PERMITS.clone().acquire_owned().await.unwrap();
    let name = format!("souk_it_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let server = connect(&server_url()).await.unwrap();
    let cloning = CLONING.lock().await;
    server.execute_unprepared(&format!("create database {name} template {template}")).await.unwrap();
    drop(cloning);
    server.execute_unprepared(&format!("alter database {name} set synchronous_commit = off")).await.unwrap();
    server.close().await.unwrap();
    Some(Store::Postgres(Scratch { url: database_url(&name), name, _permit: permit }))
}

impl Scratch {
    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub async fn remove(self) {
        let server = connect(&server_url()).await.unwrap();
        server.execute_unprepared(&format!("drop database {} with (force)", self.name)).await.unwrap();
    }
}

pub fn server_url() -> String {
    std::env::var("SOUK_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())
}

/// The server's URL with another database.
fn database_url(name: &str) -> String {
    let server = server_url();
    let (host, _) = server.rsplit_once('/').expect("a PostgreSQL URL names a database");
    format!("{host}/{name}")
}

async fn connect(url: &str) -> Result<DatabaseConnection, sea_orm::DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

async fn make_template() -> Option<String> {
    let server = match connect(&server_url()).await {
        Ok(server) => server,
        Err(error) => {
            skip("PostgreSQL", &format!("at {}: {error}", server_url()));
            return None;
        }
    };
    remove_leftovers(&server).await;
    let name = format!("souk_it_{}_template", std::process::id());
    server.execute_unprepared(&format!("drop database if exists {name} with (force)")).await.unwrap();
    server.execute_unprepared(&format!("create database {name}")).await.unwrap();
    for service in market::ALL {
        let db = chassis::Database::open(service.as_str(), &database_url(&name)).await.unwrap();
        market::migrate(service, &db).await.unwrap();
        db.close().await.unwrap();
    }
    server.close().await.unwrap();
    Some(name)
}

/// Databases of runs that ended without cleaning up.
async fn remove_leftovers(server: &DatabaseConnection) {
    let sql = "select datname from pg_database where datname like 'souk_it_%'";
    let rows = server
        .query_all_raw(sea_orm::Statement::from_string(server.get_database_backend(), sql))
        .await
        .unwrap();
    for row in rows {
        let name: String = row.try_get("", "datname").unwrap();
        let process = name.split('_').nth(2).unwrap_or_default();
        if !std::path::Path::new("/proc").join(process).exists() {
            _ = server.execute_unprepared(&format!("drop database {name} with (force)")).await;
        }
    }
}
