//! Serving: everything in one process, one subgraph, or the router alone.

mod among;
mod clients;
mod cluster;
mod here;
mod inner;
#[cfg(feature = "router")]
mod supergraph;

use std::net::SocketAddr;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal;
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use among::Among;
pub use clients::Clients;
pub use cluster::Cluster;
pub use here::{everything, relay, subgraph};
pub use inner::Inner;
#[cfg(feature = "router")]
pub use supergraph::{Endpoint, Router, compose, name_and_url, router};

/// Where to listen.
#[derive(Clone, Debug, Args)]
pub struct Listen {
    /// The name or address to listen on.
    #[arg(long, env = "SOUK_HOST", default_value = "localhost")]
    pub host: String,
    /// The port to listen on.
    #[arg(long, env = "SOUK_PORT", default_value_t = 4000)]
    pub port: u16,
    /// Calls the subgraphs of this process over HTTP, as in a cluster; for comparison, it costs more.
    #[arg(long, env = "SOUK_SUBGRAPHS_OVER_HTTP")]
    pub subgraphs_over_http: bool,
    #[command(flatten)]
    pub clients: Clients,
    /// Browser origins beyond the endpoint's own that may send operations, with cookies, such as `https://shop.example`.
    #[arg(long = "allowed-origin", env = "SOUK_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
}

impl Listen {
    /// Where it is going to be. None: where the system says, or nowhere.
    async fn address(&self) -> Option<SocketAddr> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await.ok()?.next();
        found.filter(|address| address.port() > 0)
    }

    async fn bind(&self) -> anyhow::Result<TcpListener> {
        let (host, port) = (self.host.as_str(), self.port);
        TcpListener::bind((host, port)).await.with_context(|| format!("cannot listen on {host}:{port}"))
    }
}

/// Serves `pages` until `stop`, then finishes what is running.
pub async fn serve_http(listener: TcpListener, pages: axum::Router, stop: CancellationToken) {
    let service = pages.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "The HTTP server ended");
    }
}

/// Resolves when somebody wants the process to end: Ctrl-C, or SIGTERM from a supervisor.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            asked = signal::ctrl_c() => asked?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await?;
    info!("Stopping: no new requests, finishing those that run");
    Ok(())
}
