//! The HTTP server around the router: an ntex system on a thread of its own, with one worker for each core.

use std::{net::TcpListener, sync::Arc, time::Duration};

use hive_router::{
    PluginRegistry, RouterPaths, RouterSharedState, SchemaState,
    background_tasks::BackgroundTasksManager,
    build_http_service_config,
    config::HiveRouterConfig,
    configure_app_from_config, configure_ntex_app,
    ntex::{
        SharedCfg, rt,
        server::Server,
        time::Seconds,
        util::Bytes,
        web::{
            self, App, HttpRequest, HttpServer, ServiceConfig, error::PayloadError, test::TestRequest,
            types::PayloadConfig,
        },
    },
    pipeline::{
        request_identifiers::RequestIdentifiersService, response_compression::ResponseCompressionService,
    },
    plugins::plugins_service::PluginService,
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Limits, Options, ServeError,
    config::GRAPHQL_PATH,
    console,
    limits::{MaxRootFields, OneEventField},
    pages,
    plugin::Hooks,
    requests, serve,
    websocket::{self, Gateway},
};

/// At a stop: for answers that are ready but not yet sent. Clients that stay connected are then disconnected.
const LAST_BYTES: Seconds = Seconds(1);

/// For each thread of the server; a page is taken only when it is touched. What clients nest is read, checked and planned
/// by functions that call themselves: [`Limits`] bound all of it, and this is the second line.
pub(crate) const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Everything that was checked before the thread begins.
pub(crate) struct Ready {
    pub listeners: Vec<TcpListener>,
    pub config: &'static HiveRouterConfig,
    pub hooks: Hooks,
    pub options: Options,
    pub runtime: Handle,
}

/// Runs until the stop, on the current thread. `started` is told once requests are accepted.
pub(crate) fn run(ready: Ready, started: oneshot::Sender<()>) -> Result<(), ServeError> {
    rt::System::build()
        .name("router")
        .stack_size(STACK_BYTES)
        .build(rt::DefaultRuntime)
        .block_on(run_here(ready, started))
}

async fn run_here(ready: Ready, started: oneshot::Sender<()>) -> Result<(), ServeError> {
    let Ready { listeners, config, hooks, options, runtime } = ready;
    let mut tasks = BackgroundTasksManager::new();
    let telemetry = serve::telemetry(config);
    let (mut shared, schemas) =
        configure_app_from_config(config, telemetry, &mut tasks, PluginRegistry::new()).await?;
    prepare(&schemas, &hooks).await?;
    let closing = CancellationToken::new();
    let end = End {
        stop: options.stop.clone(),
        requests: hooks.requests.running.clone(),
        patience: Duration::from_millis(options.limits.stop_ms),
        closing: closing.clone(),
    };
    let (supergraph, running) = (hooks.requests.supergraph.clone(), hooks.requests.running.clone());
    take_place(&mut shared, hooks, &options.limits)?;
    let gateway = Gateway {
        shared: shared.clone(),
        schemas: schemas.clone(),
        supergraph,
        check_authorization: options.check_authorization.clone(),
        limits: options.limits.clone(),
        running,
        closing,
    };
    let gateway = Arc::new(gateway);
    let server =
        listen(listeners, config, Parts { shared: shared.clone(), schemas, gateway, options, runtime })?;
    rt::spawn(end.wait(server.clone()));
    // Nobody listens when the caller has given up already; the stop comes then.
    let _ = started.send(());
    let ended = server.await.map_err(|error| ServeError::Stopped(error.to_string()));
    tasks.graceful_shutdown().await;
    hive_router::invoke_shutdown_hooks(&shared).await;
    ended
}

/// Builds now what the first request would wait for, so that what cannot be built is said at the start.
async fn prepare(schemas: &SchemaState, hooks: &Hooks) -> Result<(), ServeError> {
    let request = TestRequest::default().to_http_request();
    request.extensions_mut().insert(hooks.requests.supergraph.snapshot());
    let selected = schemas.select_supergraph(&request).await;
    selected.map(|_| ()).map_err(|error| ServeError::Supergraph(error.to_string()))
}

/// How the server ends: no new connections, then the requests that run, then what is open for good (subscriptions).
struct End {
    stop: CancellationToken,
    requests: TaskTracker,
    patience: Duration,
    /// Tells the sockets.
    closing: CancellationToken,
}

impl End {
    async fn wait(self, server: Server) {
        self.stop.cancelled().await;
        server.pause().await;
        self.requests.close();
        // Whatever still runs after that is cut off.
        let _ = tokio::time::timeout(self.patience, self.requests.wait()).await;
        self.closing.cancel();
        server.stop(true).await;
    }
}

/// The router makes plugins by type, from configuration; ours holds what the caller gave, so it is put in afterwards.
fn take_place(shared: &mut Arc<RouterSharedState>, hooks: Hooks, limits: &Limits) -> Result<(), ServeError> {
    let shared = Arc::get_mut(shared)
        .ok_or_else(|| ServeError::Start("its state is in use before the first request".to_owned()))?;
    let mut rules = shared.validation_plan.as_ref().clone();
    rules.add_rule(Box::new(MaxRootFields(limits.root_fields)));
    rules.add_rule(Box::new(OneEventField));
    shared.validation_plan = Arc::new(rules);
    shared.plugins = Some(Arc::new(vec![Box::new(hooks)]));
    Ok(())
}

struct Parts {
    shared: Arc<RouterSharedState>,
    schemas: Arc<SchemaState>,
    gateway: Arc<Gateway>,
    options: Options,
    runtime: Handle,
}

fn listen(
    listeners: Vec<TcpListener>,
    config: &'static HiveRouterConfig,
    parts: Parts,
) -> Result<Server, ServeError> {
    let parts = Arc::new(parts);
    let mut server = HttpServer::new(async move || {
        let parts = parts.clone();
        let shared = &parts.shared;
        let (pages, runtime) = (parts.options.pages.clone(), parts.runtime.clone());
        App::new()
            .middleware(PluginService::new(paths(), None))
            .middleware(RequestIdentifiersService)
            .middleware(ResponseCompressionService::new(shared.router_config))
            .state(shared.clone())
            .state(parts.schemas.clone())
            .state(shared.telemetry_context.clone())
            .state(parts.schemas.callback_subscriptions.clone())
            .state(PayloadConfig::new(parts.options.limits.body_bytes))
            .state(parts.gateway.clone())
            .configure(sockets)
            .configure(|app| configure_ntex_app(app, &paths(), None))
            .configure(graphiql)
            .default_service(web::to(move |request: HttpRequest, body: Result<Bytes, PayloadError>| {
                let (pages, runtime) = (pages.clone(), runtime.clone());
                async move { pages::answer(&pages, &runtime, request, body).await }
            }))
    })
    .config(SharedCfg::new("router").add(build_http_service_config(config)))
    .shutdown_timeout(LAST_BYTES)
    .disable_signals();
    for listener in listeners {
        server = server.listen(listener).map_err(|error| ServeError::Start(error.to_string()))?;
    }
    Ok(server.run())
}

/// The router's own health pages are moved out of the way: health is the whole process's business.
fn paths() -> RouterPaths {
    let path = GRAPHQL_PATH.to_owned();
    let mut paths = RouterPaths::new(path, None, None);
    paths.health = "/health/router".to_owned();
    paths.readiness = "/health/router/ready".to_owned();
    paths
}

/// Before the router's own route, which knows requests only.
fn sockets(app: &mut ServiceConfig) {
    let is_upgrade = web::guard::fn_guard(|request| requests::is_upgrade(request.headers()));
    app.service(web::resource(GRAPHQL_PATH).guard(is_upgrade).route(web::get().to(websocket::accept)));
}

fn graphiql(app: &mut ServiceConfig) {
    app.route(console::PATH, web::get().to(console::answer));
    app.service(web::scope(console::PATH).default_service(web::get().to(console::answer)));
}
