//! Everything that is not GraphQL: requests go to the caller's handler, on the caller's runtime.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use hive_router::ntex::{
    http::error::PayloadError as Cut,
    util::Bytes as NtexBytes,
    web::{HttpRequest, HttpResponse, error::PayloadError},
};
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::runtime::Handle;
use tracing::Instrument;

/// Answers a request that is not GraphQL: health, metrics, keys, webhooks. Requests carry [`ClientAddress`] in their
/// extensions; a path that is not there is answered with 404 by the handler.
pub type Pages = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

/// Where a request comes from: the other end of its connection, or what a trusted proxy says. The port is `0` then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

/// Runs the handler on the application's runtime. A handler that panics is a 500 and nothing more.
pub(crate) async fn answer(
    pages: &Pages,
    runtime: &Handle,
    request: HttpRequest,
    body: Result<NtexBytes, PayloadError>,
) -> HttpResponse {
    let body = match body {
        Ok(body) => body,
        Err(error) => return unread(&error),
    };
    let Some(request) = request_from_ntex(&request, body) else {
        return HttpResponse::build(StatusCode::BAD_REQUEST).finish();
    };
    match runtime.spawn(pages(request).in_current_span()).await {
        Ok(response) => response_to_ntex(response),
        Err(error) => {
            tracing::error!(%error, "A page handler did not finish: {error}");
            HttpResponse::build(StatusCode::INTERNAL_SERVER_ERROR).finish()
        }
    }
}

/// The answer to a body that was not read to its end.
fn unread(error: &PayloadError) -> HttpResponse {
    let (status, code) = match error {
        PayloadError::Payload(Cut::Overflow) => (StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE"),
        _ => (StatusCode::BAD_REQUEST, "BAD_BODY"),
    };
    let error = json!({ "code": code, "message": error.to_string(), "retryable": false });
    HttpResponse::build(status).content_type("application/json").body(json!({ "error": error }).to_string())
}

fn request_from_ntex(request: &HttpRequest, body: NtexBytes) -> Option<Request<Bytes>> {
    let mut builder = Request::builder().method(request.method().clone()).uri(request.uri().clone());
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.as_bytes());
    }
    if let Some(address) = request.extensions().get::<ClientAddress>() {
        builder = builder.extension(*address);
    }
    builder.body(Bytes::copy_from_slice(&body)).ok()
}

fn response_to_ntex(response: Response<Bytes>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let mut builder = HttpResponse::build(parts.status);
    for (name, value) in &parts.headers {
        builder.header(name.as_str(), value.as_bytes());
    }
    builder.body(Vec::from(body))
}
