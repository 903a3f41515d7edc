//! Processes of one service among themselves: each says where it is reached, and answers who knows the cluster's secret.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::future::BoxFuture;
use reqwest::{Client, redirect};
use sea_orm::sqlx::postgres::PgConnectOptions;
use tokio::net::{UdpSocket, lookup_host};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, info_span};

use crate::auth::ClusterSecret;
use crate::{Failure, Reach, serve, telemetry};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a whole call may take; whoever died without a word is noticed by it.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest message that is read.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Continues a trace in another process.
const TRACEPARENT: &str = "traceparent";

/// What a process says to the message of another; `None`: it does not understand.
pub type Answer = Arc<dyn Fn(Vec<u8>) -> BoxFuture<'static, Option<Vec<u8>>> + Send + Sync>;

/// The other processes of a service, and this one as they see it.
#[derive(Clone)]
pub struct Peers {
    address: Arc<str>,
    secret: ClusterSecret,
    client: Client,
}

/// Where nobody can be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address of a process, such as http://10.0.0.7:4006")]
pub struct NoAddress(String);

/// Why another process has not answered.
#[derive(Debug, thiserror::Error)]
pub enum Unheard {
    /// It heard nothing: the message did nothing.
    #[error("nobody is reached there: {0}")]
    Unreached(String),
    /// It refused to listen: the message did nothing.
    #[error("it is refused with {0}")]
    Refused(StatusCode),
    /// It may have heard the message, and done what that asks for.
    #[error("the answer is lost: {0}")]
    Lost(String),
}

impl Peers {
    /// Others reach this process at `address`, such as `http://10.0.0.7:4006` or `10.0.0.7:4006`.
    ///
    /// # Errors
    /// [`NoAddress`], or TLS cannot start.
    pub fn new(address: &str, secret: ClusterSecret) -> Result<Self, Failure> {
        let address = origin(address)?.into();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")));
        Ok(Self { address, secret, client: client.build()? })
    }

    /// Where others reach this process: scheme, host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends `message` to the process at `address` and gives its answer.
    ///
    /// # Errors
    /// There is none; what that says of the message is in [`Unheard`].
    pub async fn ask(&self, address: &str, path: &str, message: Vec<u8>) -> Result<Vec<u8>, Unheard> {
        let (url, message) = (format!("{address}{path}"), Bytes::from(message));
        // While the secret is exchanged, one that was not started anew knows only the previous one.
        for secret in self.secret.headers() {
            let response = self.send(&url, message.clone(), secret).await?;
            match response.status() {
                StatusCode::FORBIDDEN => {}
                StatusCode::OK => {
                    let answer = response.bytes().await;
                    return answer.map(Vec::from).map_err(|error| Unheard::Lost(told(&error)));
                }
                status if status.is_server_error() => return Err(Unheard::Lost(status.to_string())),
                status => return Err(Unheard::Refused(status)),
            }
        }
        Err(Unheard::Refused(StatusCode::FORBIDDEN))
    }

    async fn send(
        &self,
        url: &str,
        message: Bytes,
        secret: HeaderValue,
    ) -> Result<reqwest::Response, Unheard> {
        let request = self.client.post(url).header(ClusterSecret::HEADER, secret).body(message);
        let request = match telemetry::traceparent() {
            Some(trace) => request.header(TRACEPARENT, trace),
            None => request,
        };
        request.send().await.map_err(|error| match error.is_connect() || error.is_builder() {
            true => Unheard::Unreached(told(&error)),
            false => Unheard::Lost(told(&error)),
        })
    }

    /// A page at `path` for other processes of the service, and for nobody else.
    pub fn page(&self, path: &str, answer: Answer) -> Router {
        let secret = self.secret.clone();
        let hear = async move |request: Request<Body>| hear(&secret, request, answer).await;
        Router::new().route(path, post(hear)).layer(CatchPanicLayer::new())
    }
}

async fn hear(secret: &ClusterSecret, request: Request<Body>, answer: Answer) -> Response {
    if !secret.admits(request.headers()) {
        return serve::not_the_router();
    }
    let span = info_span!("peer", path = request.uri().path());
    telemetry::continue_from(&span, request.headers());
    let Ok(message) = to_bytes(request.into_body(), MESSAGE_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match answer(message.into()).instrument(span).await {
        Some(answer) => answer.into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// An error with its causes.
fn told(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn origin(address: &str) -> Result<String, NoAddress> {
    let url = match address.contains("://") {
        true => Reach::Anywhere.check(address),
        false => Reach::Anywhere.check(&format!("http://{address}")),
    };
    let origin = url.map(|url| url.origin().ascii_serialization());
    origin.map_err(|_| NoAddress(address.to_owned()))
}

/// Where other machines reach a process that listens at `bound`: there, or, when that is every address of this machine, at
/// the one from which its database is reached. Nothing is sent.
pub async fn address_of(bound: SocketAddr, database_url: &str) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let loopback = if bound.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
    SocketAddr::new(towards(database_url).await.unwrap_or(loopback), bound.port())
}

async fn towards(database_url: &str) -> Option<IpAddr> {
    let url = Some(database_url).filter(|url| url.starts_with("postgres"))?;
    let database: PgConnectOptions = url.parse().ok()?;
    let there = lookup_host((database.get_host(), database.get_port())).await.ok()?.next()?;
    let anywhere: IpAddr =
        if there.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((anywhere, 0)).await.ok()?;
    socket.connect(there).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_a_port() {
        for (address, expected) in [
            ("10.0.0.7:4006", Some("http://10.0.0.7:4006")),
            ("http://bidding-2.internal:4006/", Some("http://bidding-2.internal:4006")),
            ("https://bidding", Some("https://bidding")),
            ("[::1]:4006", Some("http://[::1]:4006")),
            ("", None),
            ("ftp://bidding", None),
            ("http://souk:secret@bidding", None),
        ] {
            assert_eq!(origin(address).ok().as_deref(), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn who_listens_everywhere_is_reached_from_where_the_database_is() {
        let bound = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 4006);
        for (listens, database, expected) in [
            ("10.0.0.7", "postgres://db.invalid/souk", "10.0.0.7"),
            ("0.0.0.0", "postgres://souk:secret@127.0.0.1:5432/souk", "127.0.0.1"),
            ("0.0.0.0", "sqlite://souk.db", "127.0.0.1"),
            ("::", "sqlite://souk.db", "::1"),
        ] {
            assert_eq!(address_of(bound(listens), database).await, bound(expected), "{listens} {database}");
        }
    }
}
