//! What a subgraph is given and what it gives.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::SecretBox;

use crate::auth::Keys;
use crate::graph::Graph;
use crate::inbox::Consumer;
use crate::{Clock, Database, Failure, Peers, Reach, Tasks};

/// The key that seals personal data and private keys at rest: 256 bits.
pub type MasterKey = Arc<SecretBox<[u8; 32]>>;

/// What a subgraph needs from the process it runs in.
#[derive(Clone)]
pub struct Env {
    pub db: Database,
    pub clock: Clock,
    pub tasks: Tasks,
    pub keys: Keys,
    pub master_key: MasterKey,
    /// Where this process keeps files that can be made again, such as a search index. None: in memory.
    pub data_dir: Option<PathBuf>,
    /// Where calls may go to addresses that users chose.
    pub reach: Reach,
    /// Other processes of the same service. None: it is alone, or nobody is to be told where it is.
    pub peers: Option<Peers>,
}

/// A subgraph, ready to run in any process.
pub struct Subgraph {
    pub name: &'static str,
    pub graph: Graph,
    pub consumers: Vec<Consumer>,
    pub jobs: Vec<Job>,
    /// HTTP routes beside GraphQL, such as webhooks.
    pub routes: axum::Router,
}

/// Work that returns: a sweeper, a refresher. Runs at start and then `pause` after each end; it must be safe to run in
/// two processes at once.
#[derive(Clone)]
pub struct Job {
    pub name: &'static str,
    pub pause: Duration,
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>,
}
