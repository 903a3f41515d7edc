//! The wire between client and fake: connections that can be cut, and the faults that happen on the way.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::answer::{self, RequestId, set};
use crate::error::StripeError;
use crate::faults::Fault;
use crate::seen::Seen;
use crate::{API_VERSION, Fake};

/// The largest body, in bytes.
const BODY_MAX: usize = 1 << 20;

/// A connection's scissors.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<AtomicBool>);

impl Wire {
    /// Nothing is written any more: the client sees the connection close.
    fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream with scissors.
#[derive(Debug)]
pub struct Cuttable {
    stream: TcpStream,
    wire: Wire,
}

impl Cuttable {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.wire.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.stream().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

/// Accepts connections that can be cut.
#[derive(Debug)]
pub struct Listener(pub TcpListener);

impl axum::serve::Listener for Listener {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, addr) = axum::serve::Listener::accept(&mut self.0).await;
        (Cuttable { stream, wire: Wire::default() }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().wire.clone()
    }
}

/// Gives a call its id, lets happen what goes wrong on the way, and remembers it.
pub async fn transmit(
    State(fake): State<Arc<Fake>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let id = fake.request_id();
    let Some(mut request) = whole(request).await else {
        let message = "The request body is too large.";
        return answer::error(&StripeError::at_the_door(StatusCode::PAYLOAD_TOO_LARGE, message), &id);
    };
    let mut seen = Seen::of(&request);
    seen.fault = fake.faults().draw(&seen.method, &seen.path, seen.idempotency_key.as_deref());
    let version = request.headers().get("stripe-version").cloned();
    let mut response = match seen.fault {
        Some(Fault::RateLimit) => answer::error(&StripeError::rate_limited(), &id),
        Some(Fault::Unavailable) => answer::error(&StripeError::broken(StatusCode::SERVICE_UNAVAILABLE), &id),
        Some(Fault::Conflict) => {
            let key = seen.idempotency_key.as_deref().unwrap_or_default();
            answer::error(&StripeError::in_flight(key), &id)
        }
        Some(Fault::DropBefore) => lost(),
        fault => {
            request.extensions_mut().insert(RequestId(id.clone()));
            if let Some(fault) = fault {
                request.extensions_mut().insert(fault);
            }
            next.run(request).await
        }
    };
    set(&mut response, HeaderName::from_static("request-id"), &id);
    let version = version.as_ref().and_then(|version| version.to_str().ok()).unwrap_or(API_VERSION);
    set(&mut response, HeaderName::from_static("stripe-version"), version);
    seen.answered(&response);
    let fault = seen.fault;
    fake.remember(seen);
    if fault == Some(Fault::Hang) {
        tokio::time::sleep(Duration::from_millis(fake.hang_ms())).await;
    }
    if matches!(fault, Some(Fault::DropBefore | Fault::DropAfter | Fault::Hang)) {
        wire.cut();
    }
    response
}

/// With its body read: a connection that has its answer before its request is over is closed, and the answer lost.
/// `None`: the body is too large, or ended early.
pub async fn whole(request: Request) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.ok()?;
    Some(Request::from_parts(parts, body.into()))
}

/// What nobody will read.
fn lost() -> Response {
    answer::error(&StripeError::broken(StatusCode::SERVICE_UNAVAILABLE), "")
}
