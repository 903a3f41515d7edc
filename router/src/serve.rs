//! Starts and stops the router in the current process.

use std::{
    collections::BTreeSet,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use hive_router::{
    config::HiveRouterConfig,
    error::RouterInitError,
    executor::{
        executors::common::SubgraphExecutor,
        hooks::on_supergraph_load::{Supergraph, SupergraphOptions},
    },
    graphql_tools::static_graphql::schema::Document,
    telemetry::TelemetryContext,
};
use rustls::crypto::CryptoProvider;
use tokio::{
    net::{TcpSocket, lookup_host},
    runtime::Handle,
    sync::{Semaphore, oneshot},
};
use tokio_util::task::TaskTracker;

use crate::{
    Options,
    admission::Admission,
    config,
    inprocess::LocalExecutor,
    plugin::Hooks,
    requests::{Partitions, Requests},
    sdl,
    server::{self, Ready},
    shapes::Shapes,
};

/// Directives that say who may see something.
const RIGHTS: [&str; 3] = ["authenticated", "policy", "requiresScopes"];

/// Connections that the system keeps until they are accepted.
const BACKLOG: u32 = 2048;

/// Why a router did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {host}:{port}: {error}")]
    Listen { host: String, port: u16, error: io::Error },
    #[error("the supergraph cannot be used: {0}")]
    Supergraph(String),
    #[error("the router does not start: {0}")]
    Start(String),
    #[error("the router stopped: {0}")]
    Stopped(String),
}

impl From<RouterInitError> for ServeError {
    fn from(error: RouterInitError) -> Self {
        ServeError::Start(error.to_string())
    }
}

/// A router that accepts requests.
pub struct Running {
    /// The first of the addresses that it listens on.
    pub address: SocketAddr,
    ended: oneshot::Receiver<Result<(), ServeError>>,
}

impl Running {
    /// Waits until the router has ended, which it does when [`Options::stop`] is cancelled.
    pub async fn ended(self) -> Result<(), ServeError> {
        self.ended.await.unwrap_or_else(|_| Err(ServeError::Stopped("its thread died".to_owned())))
    }
}

/// Starts a router. When this returns it accepts requests; when it fails nothing is left behind.
///
/// Local subgraphs and pages run on the runtime that calls this. Logs and spans go to the process's own subscriber; no
/// signal is handled here.
pub async fn serve(options: Options) -> Result<Running, ServeError> {
    let listeners = listen(&options.host, options.port).await?;
    let address = address_of(&listeners)?;
    // The router wants its configuration to live for ever; it is a few kilobytes for each start.
    let config = config::hive(&options).into_static();
    let supergraph = supergraph(options.supergraph.clone(), config).await?;
    check_names(&options, &supergraph)?;
    let hooks = hooks(&options, supergraph, config);
    provide_tls();
    let (tell_started, started) = oneshot::channel();
    let (tell_ended, ended) = oneshot::channel();
    let ready = Ready { listeners, config, hooks, options, runtime: Handle::current() };
    std::thread::Builder::new()
        .name("router".to_owned())
        .stack_size(server::STACK_BYTES)
        .spawn(move || tell_ended.send(server::run(ready, tell_started)))
        .map_err(|error| ServeError::Start(error.to_string()))?;
    let running = Running { address, ended };
    match started.await {
        Ok(()) => Ok(running),
        Err(_) => Err(running.ended().await.err().unwrap_or(ServeError::Stopped("at once".to_owned()))),
    }
}

/// A name such as `localhost` may have several addresses: all of them, except those that this machine has not.
async fn listen(host: &str, port: u16) -> Result<Vec<TcpListener>, ServeError> {
    let fail = |error| ServeError::Listen { host: host.to_owned(), port, error };
    let mut listeners = Vec::new();
    let mut missing = None;
    for address in lookup_host((host, port)).await.map_err(fail)? {
        match listen_on(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => missing = Some(error),
            Err(error) => return Err(fail(error)),
        }
        // Two addresses would get two different ports.
        if port == 0 && !listeners.is_empty() {
            break;
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(fail(error)),
        _ => Ok(listeners),
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Or a restart would have to wait for the connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn address_of(listeners: &[TcpListener]) -> Result<SocketAddr, ServeError> {
    let first = listeners.first().ok_or_else(|| ServeError::Start("the host has no address".to_owned()))?;
    first.local_addr().map_err(|error| ServeError::Start(error.to_string()))
}

fn hooks(options: &Options, supergraph: Supergraph, config: &HiveRouterConfig) -> Hooks {
    let telemetry = telemetry(config);
    let runtime = Handle::current();
    let local = options.local.iter().map(|(name, subgraph)| {
        let executor = LocalExecutor::new(subgraph.clone(), runtime.clone(), telemetry.clone());
        (name.clone(), executor.to_boxed_arc())
    });
    Hooks {
        shapes: Shapes::new(&supergraph.planner.consumer_schema.document),
        requests: Requests {
            supergraph: Arc::new(supergraph),
            running: TaskTracker::new(),
            sockets: Arc::new(Semaphore::new(options.limits.long_lived_clients)),
            trusted_proxies: options.trusted_proxies.clone(),
            allowed_origins: options.allowed_origins.clone(),
        },
        local: local.collect(),
        check_authorization: options.check_authorization.clone(),
        limits: options.limits.clone(),
        admission: Admission::new(options.limits.clone()),
        partitions: Partitions::default(),
    }
}

/// The planner takes a while, and panics on some of what it does not understand.
async fn supergraph(sdl: String, config: &'static HiveRouterConfig) -> Result<Supergraph, ServeError> {
    let built = tokio::task::spawn_blocking(move || build_supergraph(&sdl, config)).await;
    built.unwrap_or_else(|error| Err(error.to_string())).map_err(ServeError::Supergraph)
}

fn build_supergraph(sdl: &str, config: &HiveRouterConfig) -> Result<Supergraph, String> {
    let document = sdl::parse(sdl).map_err(|error| error.to_string())?;
    if document.query_type_name().is_none() {
        return Err("there is no query type".to_owned());
    }
    warn_of_rights(&document);
    let mut options = SupergraphOptions::default();
    options.traffic_shaping = (&config.traffic_shaping).into();
    options.override_subgraph_urls = config.override_subgraph_urls.clone();
    options.headers = config.headers.clone();
    options.subscriptions = (&config.subscriptions).into();
    options.error_masking = config.error_masking.clone();
    Supergraph::from_document("souk", document, options).map_err(|error| error.to_string())
}

/// Whoever wrote them counts on them.
fn warn_of_rights(supergraph: &Document) {
    let declared = sdl::objects(supergraph).flat_map(|object| {
        let of_fields = object.fields.iter().flat_map(|field| &field.directives);
        object.directives.iter().chain(of_fields)
    });
    let names: BTreeSet<&str> = declared.map(|directive| directive.name.as_str()).collect();
    for name in RIGHTS.iter().filter(|name| names.contains(**name)) {
        tracing::warn!("The supergraph uses @{name}: this router leaves it to the subgraphs to refuse");
    }
}

/// A name that is not in the supergraph is a mistake, and would be passed over in silence.
fn check_names(options: &Options, supergraph: &Supergraph) -> Result<(), ServeError> {
    let known = &supergraph.planner.supergraph.subgraph_endpoint_map;
    let mut named = options.subgraph_urls.keys().chain(options.local.keys()).chain(&options.cookies_of);
    match named.find(|name| !known.contains_key(*name)) {
        Some(name) => Err(ServeError::Supergraph(format!("it has no subgraph `{name}`"))),
        None => Ok(()),
    }
}

/// Calls to `https` subgraphs take the provider of the process. One that is there already stays.
fn provide_tls() {
    if CryptoProvider::get_default().is_none() {
        hive_router::init_rustls_crypto_provider();
    }
}

/// Propagation of trace headers, without an exporter or a subscriber: the process has its own.
pub(crate) fn telemetry(config: &HiveRouterConfig) -> TelemetryContext {
    TelemetryContext::from_propagation_config(&config.telemetry.tracing.propagation, &config.log)
}
