//! The router over subgraphs: those of this process, or a cluster's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use chassis::auth::{ClusterSecret, Keys};
use chassis::graph::Endpoint as Subgraph;
use chassis::{Clock, Tasks, serve};
use clap::Args;
use futures::FutureExt;
use futures::future::BoxFuture;
use router::{
    Answer, Call, CheckAuthorization, ClientAddress, LocalSubgraph, Options, Pages, Refusal, Running,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::info;

use super::{Cluster, Inner, Listen, asked_to_stop};
use crate::market::{Market, ServiceName};
use crate::settings::Settings;

/// A page's body at most: webhooks and the like.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The router over subgraphs that run elsewhere.
#[derive(Clone, Debug, Args)]
pub struct Router {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listen: Listen,
    /// The supergraph schema; this program's own when it is not given.
    #[arg(long, env = "SOUK_SUPERGRAPH")]
    supergraph: Option<PathBuf>,
    /// Where a subgraph is, instead of the supergraph's word: `catalog=http://catalog:4000/subgraphs/catalog`. May be
    /// given more than once, or separated by commas.
    #[arg(long = "subgraph-url", env = "SOUK_SUBGRAPH_URLS", value_delimiter = ',', value_parser = name_and_url)]
    subgraph_urls: Vec<(String, String)>,
    /// Where accounts publishes its keys. Without it the router passes credentials on and the subgraphs judge them.
    #[arg(long, env = "SOUK_JWKS_URL")]
    jwks_url: Option<String>,
    /// Hides the schema from clients.
    #[arg(long, env = "SOUK_NO_INTROSPECTION")]
    no_introspection: bool,
    #[command(flatten)]
    cluster: Cluster,
}

/// `NAME=VALUE`.
pub fn name_and_url(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME=…")?;
    Ok((name.into(), url.into()))
}

/// Serves the endpoint of a cluster.
pub async fn router(command: Router) -> anyhow::Result<()> {
    let _telemetry = command.settings.telemetry()?;
    let supergraph = match &command.supergraph {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
        }
        None => include_str!("../../../schema/supergraph.graphql").to_owned(),
    };
    let secret = command.cluster.secret()?;
    let tasks = Tasks::new();
    let check_authorization = command.jwks_url.map(|url| {
        let keys = Keys::new(Clock::System);
        keys.clone().follow(url, super::here::JWKS_PAUSE, &tasks);
        check(keys)
    });
    let running = router::serve(Options {
        host: command.listen.host,
        port: command.listen.port,
        supergraph,
        subgraph_urls: command.subgraph_urls.into_iter().collect(),
        local: BTreeMap::new(),
        check_authorization,
        pages: pages(serve::operations(Vec::new())),
        trusted_proxies: command.listen.clients.trusted_proxies()?,
        allowed_origins: command.listen.allowed_origins,
        cookies_of: cookies_of(),
        to_subgraphs: secret.iter().map(shown_to_subgraphs).collect(),
        introspection: !command.no_introspection,
        limits: command.listen.clients.limits(),
        stop: tasks.stopping().clone(),
    })
    .await?;
    info!("The router is at http://{}/graphql", running.address);
    let stopped = Endpoint { running, host: None, stop: tasks.stopping().clone() }.until_stopped().await;
    tasks.stop().await;
    stopped
}

/// Composes the supergraph of the services in `market`, whose subgraphs listen at `inner`.
pub fn compose(market: &Market, inner: &str) -> Result<String, router::CompositionError> {
    let subgraphs: Vec<_> = market
        .services
        .iter()
        .map(|service| router::SubgraphSchema {
            name: service.name.to_string(),
            url: format!("http://{inner}/subgraphs/{}", service.name),
            sdl: service.endpoint.sdl(),
        })
        .collect();
    router::compose(&subgraphs)
}

/// The marketplace's one address.
pub struct Endpoint {
    running: Running,
    host: Option<String>,
    stop: CancellationToken,
}

impl Endpoint {
    /// Opens the endpoint over the services of `market`; `inner` is where their sockets are.
    pub async fn open(market: &Market, listen: &Listen, inner: &Inner) -> anyhow::Result<Self> {
        let called_here = market.services.iter().filter(|_| !listen.subgraphs_over_http);
        let local = called_here.map(|service| {
            let subgraph: Arc<dyn LocalSubgraph> = Arc::new(Local(service.endpoint.clone()));
            (service.name.to_string(), subgraph)
        });
        let stop = CancellationToken::new();
        let running = router::serve(Options {
            host: listen.host.clone(),
            port: listen.port,
            supergraph: compose(market, &inner.address.to_string())?,
            subgraph_urls: BTreeMap::new(),
            local: local.collect(),
            check_authorization: Some(check(market.keys.clone())),
            pages: pages(market.pages()),
            trusted_proxies: listen.clients.trusted_proxies()?,
            allowed_origins: listen.allowed_origins.clone(),
            cookies_of: cookies_of(),
            to_subgraphs: vec![shown_to_subgraphs(&inner.secret)],
            introspection: true,
            limits: listen.clients.limits(),
            stop: stop.clone(),
        })
        .await?;
        Ok(Self { running, host: Some(listen.host.clone()), stop })
    }

    /// As a person types it.
    pub fn address(&self) -> String {
        let port = self.running.address.port();
        match &self.host {
            Some(host) => format!("http://{host}:{port}"),
            None => format!("http://{}", self.running.address),
        }
    }

    /// Waits until somebody wants the process to end, then until the requests that run have been answered.
    pub async fn until_stopped(self) -> anyhow::Result<()> {
        let mut ended = Box::pin(self.running.ended());
        tokio::select! {
            asked = asked_to_stop() => asked?,
            ended = &mut ended => return Ok(ended?),
        }
        self.stop.cancel();
        Ok(ended.await?)
    }

    /// Accepts nothing more and waits until the requests that run have been answered.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.running.ended().await?)
    }
}

/// Who reads cookies and sets them: the refresh token of browsers.
fn cookies_of() -> Vec<String> {
    vec![ServiceName::Accounts.to_string()]
}

fn shown_to_subgraphs(secret: &ClusterSecret) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(ClusterSecret::HEADER), secret.header())
}

fn check(keys: Keys) -> CheckAuthorization {
    Arc::new(move |header| {
        let viewer = keys.viewer_of(header);
        let viewer = viewer.map(|viewer| viewer.user.to_string().into());
        viewer.map_err(|denied| Refusal { code: denied.code(), message: denied.to_string() })
    })
}

/// A subgraph of this process, called without HTTP.
struct Local(Subgraph);

impl LocalSubgraph for Local {
    fn answer(&self, headers: HeaderMap, call: Call) -> BoxFuture<'static, Answer> {
        let subgraph = self.0.clone();
        async move {
            let variables = serde_json::from_slice(&call.variables).unwrap_or_default();
            let call = chassis::graph::Call {
                query: call.document.to_string(),
                operation_name: call.operation_name,
                variables,
            };
            let reply = subgraph.answer(&headers, call).await;
            Answer { headers: reply.headers, body: reply.body }
        }
        .boxed()
    }
}

/// An axum router as the router's pages.
fn pages(pages: axum::Router) -> Pages {
    Arc::new(move |request: Request<Bytes>| {
        let pages = pages.clone();
        async move {
            let mut request = request.map(Body::from);
            if let Some(ClientAddress(address)) = request.extensions().get::<ClientAddress>().copied() {
                request.extensions_mut().insert(ConnectInfo(address));
            }
            let Ok(response) = pages.oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, PAGE_BYTES_MAX).await.unwrap_or_default();
            Response::from_parts(parts, body)
        }
        .boxed()
    })
}
