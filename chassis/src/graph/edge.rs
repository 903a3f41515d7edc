//! Where errors leave a subgraph: failures are logged in full, clients get a code, a request id and whether to retry.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use axum::http::HeaderMap;
use tracing::error;
use uuid::Uuid;

use crate::{Denied, Failure};

/// The longest request id that is taken from a client.
const LENGTH_MAX: usize = 128;

/// Names one request in every log line and every answer, from the client to the last service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    pub const HEADER: &str = "x-request-id";

    /// The caller's id, or a new one when there is none worth keeping.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(Self::HEADER).and_then(|value| value.to_str().ok());
        let usable = given
            .filter(|id| (1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()));
        Self(usable.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

/// Makes every error fit to leave the house.
pub(super) fn present(mut response: Response, request_id: &RequestId) -> Response {
    for error in &mut response.errors {
        present_error(error, request_id);
    }
    response
}

fn present_error(error: &mut ServerError, request_id: &RequestId) {
    let (code, retryable) = if let Some(failure) = error.source::<Failure>() {
        error!(request.id = request_id.0, path = ?error.path, error = %failure, "Request {} failed", request_id.0);
        let retryable = failure.is_retryable();
        error.message =
            if retryable { "a database is away, try again" } else { "something failed on our side" }.into();
        (if retryable { "UNAVAILABLE" } else { "INTERNAL" }, retryable)
    } else if let Some(denied) = error.source::<Denied>() {
        (denied.code(), denied.is_retryable())
    } else {
        ("BAD_REQUEST", false)
    };
    let retry_after = match error.source::<Denied>() {
        Some(Denied::RateLimited { retry_after_ms } | Denied::Overloaded { retry_after_ms }) => {
            Some(*retry_after_ms)
        }
        _ => None,
    };
    let field = match error.source::<Denied>() {
        Some(Denied::BadInput { field, .. }) => Some(*field),
        _ => None,
    };
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    extensions.set("requestId", request_id.0.as_str());
    extensions.set("retryable", retryable);
    if let Some(field) = field {
        extensions.set("field", Value::List(vec![field.into()]));
    }
    if let Some(ms) = retry_after {
        extensions.set("retryAfterMs", Value::from(ms));
    }
}
