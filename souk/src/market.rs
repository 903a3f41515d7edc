//! A set of services in one process: their databases, subgraphs, relays and jobs.

mod service;

use std::path::PathBuf;

use axum::Router;
use chassis::auth::{ClusterSecret, Keys};
use chassis::inbox::Consumer;
use chassis::relay::Relay;
use chassis::{Clock, Failure, MasterKey, Peers, Reach, Tasks, serve};

pub use service::{ALL, Service, ServiceName, migrate};

/// What to run and where it keeps its rows.
#[derive(Clone)]
pub struct Plan {
    /// The database URL of each service that runs here.
    pub databases: Vec<(ServiceName, String)>,
    pub master_key: MasterKey,
    /// Where this process keeps files that can be made again. None: in memory.
    pub data_dir: Option<PathBuf>,
    /// Where calls may go to addresses that users chose.
    pub reach: Reach,
    /// Who takes new payments.
    pub payments: payments::provider::Setup,
    /// How long everybody in a trade has.
    pub trades: orders::trade::rules::Rules,
    /// What holds for all markets.
    pub markets: bidding::rules::Rules,
    /// Other processes of the services that run here. None: each service runs in this process only, or others are not told
    /// where this one is.
    pub peers: Option<Peers>,
}

/// Why a marketplace did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the {service} database at {url} cannot be opened: {cause}")]
    Database { service: ServiceName, url: String, cause: String },
    #[error("the {service} database at {url} cannot be migrated: {cause}")]
    Migration { service: ServiceName, url: String, cause: sea_orm::DbErr },
    #[error("the {service} subgraph does not start: {cause}")]
    Subgraph { service: ServiceName, cause: Failure },
}

/// Services that run together.
pub struct Market {
    pub services: Vec<Service>,
    pub keys: Keys,
    pub tasks: Tasks,
    pub clock: Clock,
}

impl Market {
    /// Opens and migrates the databases and builds the subgraphs. Nothing runs yet.
    pub async fn open(plan: &Plan, clock: Clock, tasks: Tasks) -> Result<Self, StartError> {
        for (name, url) in &plan.databases {
            service::check(*name, url).await?;
        }
        let keys = Keys::new(clock.clone());
        let open =
            plan.databases.iter().map(|(name, url)| Service::open(*name, url, plan, &keys, &clock, &tasks));
        let services = futures::future::try_join_all(open).await?;
        Ok(Self { services, keys, tasks, clock })
    }

    /// Starts what runs by itself: relays between the services, and their jobs.
    pub fn start(&self) {
        for service in &self.services {
            self.relay(service).start(&self.tasks);
            service.start();
        }
    }

    /// A relay of what `service` says to everybody here.
    pub fn relay(&self, service: &Service) -> Relay {
        Relay::new(service.env.db.clone(), self.clock.clone(), self.consumers())
    }

    /// Everybody here who hears something.
    pub fn consumers(&self) -> Vec<Consumer> {
        self.services.iter().flat_map(|service| service.subgraph.consumers.iter().cloned()).collect()
    }

    /// The service called `name`, if it runs here.
    pub fn service(&self, name: ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// HTTP for everybody: health, metrics, keys, webhooks.
    pub fn pages(&self) -> Router {
        let databases = self.services.iter().map(|service| service.env.db.clone()).collect();
        let operations = serve::operations(databases);
        self.services.iter().fold(operations, |pages, service| pages.merge(service.subgraph.routes.clone()))
    }

    /// HTTP for the router, which knows `secret`: each subgraph at `/subgraphs/<name>`. `None`: for everybody.
    pub fn subgraphs(&self, secret: Option<&ClusterSecret>) -> Router {
        let subgraphs =
            self.services.iter().map(|service| serve::subgraph(service.endpoint.clone(), secret.cloned()));
        subgraphs.fold(Router::new(), Router::merge)
    }

    /// Stops tasks, then closes databases.
    pub async fn stop(&self) {
        self.tasks.stop().await;
        for service in &self.services {
            if let Err(error) = service.env.db.close().await {
                tracing::warn!(service = %service.name, %error, "The {} database did not close", service.name);
            }
        }
    }
}
