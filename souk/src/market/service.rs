//! One service: its name, its database, its subgraph.

use chassis::auth::Keys;
use chassis::graph::Endpoint;
use chassis::{Clock, Database, Engine, Env, Failure, Subgraph, Tasks, housekeeping, probe};
use migration::MigratorTrait;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use super::{Plan, StartError};

/// The services there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceName {
    Accounts,
    Bidding,
    Catalog,
    Inventory,
    Orders,
    Payments,
}

/// Every service, in the order in which they start.
pub const ALL: [ServiceName; 6] = [
    ServiceName::Accounts,
    ServiceName::Bidding,
    ServiceName::Catalog,
    ServiceName::Inventory,
    ServiceName::Orders,
    ServiceName::Payments,
];

impl ServiceName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Bidding => "bidding",
            Self::Catalog => "catalog",
            Self::Inventory => "inventory",
            Self::Orders => "orders",
            Self::Payments => "payments",
        }
    }

    async fn subgraph(self, env: &Env, plan: &Plan) -> Result<Subgraph, Failure> {
        match self {
            Self::Accounts => accounts::subgraph(env).await,
            Self::Bidding => bidding::subgraph(env, &plan.markets).await,
            Self::Catalog => catalog::subgraph(env).await,
            Self::Inventory => inventory::subgraph(env).await,
            Self::Orders => orders::subgraph(env, &plan.trades).await,
            Self::Payments => payments::subgraph(env, &plan.payments).await,
        }
    }
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A service that is open.
pub struct Service {
    pub name: ServiceName,
    pub env: Env,
    pub subgraph: Subgraph,
    pub endpoint: Endpoint,
}

impl Service {
    /// Starts what runs by itself: the subgraph's jobs and the housekeeping.
    pub fn start(&self) {
        for job in
            self.subgraph.jobs.iter().cloned().chain([housekeeping::job(&self.env), probe::job(&self.env)])
        {
            self.env.tasks.every(job.name, job.pause, move || (job.run)());
        }
    }

    pub(super) async fn open(
        name: ServiceName,
        url: &str,
        plan: &Plan,
        keys: &Keys,
        clock: &Clock,
        tasks: &Tasks,
    ) -> Result<Self, StartError> {
        let shown = without_password(url);
        let db = Database::open(name.as_str(), url).await.map_err(|cause| cannot_open(name, url, &cause))?;
        migrate(name, &db).await.map_err(|cause| StartError::Migration {
            service: name,
            url: shown,
            cause,
        })?;
        let env = Env {
            db,
            clock: clock.clone(),
            tasks: tasks.clone(),
            keys: keys.clone(),
            master_key: plan.master_key.clone(),
            data_dir: plan.data_dir.clone(),
            reach: plan.reach,
            peers: plan.peers.clone(),
        };
        let subgraph =
            name.subgraph(&env, plan).await.map_err(|cause| StartError::Subgraph { service: name, cause })?;
        let endpoint = Endpoint::new(subgraph.name, subgraph.graph.clone(), keys.clone());
        Ok(Self { name, env, subgraph, endpoint })
    }
}

/// A database that is there but cannot be used, before anything is made beside it.
pub(super) async fn check(name: ServiceName, url: &str) -> Result<(), StartError> {
    Database::check_file(url).await.map_err(|cause| cannot_open(name, url, &cause))
}

fn cannot_open(service: ServiceName, url: &str, cause: &DbErr) -> StartError {
    let shown = without_password(url);
    // Drivers quote the whole URL, with the password.
    let cause = cause.to_string().replace(url, &shown);
    StartError::Database { service, url: shown, cause }
}

/// Brings the tables of a service up to date. On PostgreSQL two processes that start at once take turns.
pub async fn migrate(name: ServiceName, db: &Database) -> Result<(), DbErr> {
    let turn = db.write().begin().await?;
    if db.engine() == Engine::Postgres {
        turn.execute_unprepared("select pg_advisory_xact_lock(hashtext('souk migrate'))").await?;
        up(name, db).await?;
        return turn.commit().await;
    }
    // SQLite has one connection that writes, and a lock of its own.
    turn.rollback().await?;
    up(name, db).await
}

async fn up(name: ServiceName, db: &Database) -> Result<(), DbErr> {
    match name {
        ServiceName::Accounts => migration::accounts::Migrator::up(db.write(), None).await,
        ServiceName::Bidding => migration::bidding::Migrator::up(db.write(), None).await,
        ServiceName::Catalog => migration::catalog::Migrator::up(db.write(), None).await,
        ServiceName::Inventory => migration::inventory::Migrator::up(db.write(), None).await,
        ServiceName::Orders => migration::orders::Migrator::up(db.write(), None).await,
        ServiceName::Payments => migration::payments::Migrator::up(db.write(), None).await,
    }
}

/// A database URL that can be shown.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
