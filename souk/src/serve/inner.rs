//! The socket by which the router of a process reaches the subgraphs beside it, for subscriptions.

use std::net::SocketAddr;

use chassis::auth::ClusterSecret;
use tokio::net::TcpListener;

use super::serve_http;
use crate::market::Market;

/// On this machine only, and behind a secret of this start: other users of the machine can reach it, but not come in.
pub struct Inner {
    pub address: SocketAddr,
    pub secret: ClusterSecret,
}

impl Inner {
    /// Serves the subgraphs of `market` until it stops.
    pub async fn open(market: &Market) -> anyhow::Result<Self> {
        let loopback = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, secret) = (loopback.local_addr()?, ClusterSecret::random());
        let stop = market.tasks.stopping().clone();
        market.tasks.spawn(serve_http(loopback, market.subgraphs(Some(&secret)), stop));
        Ok(Self { address, secret })
    }
}
