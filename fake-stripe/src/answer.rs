//! Answers as HTTP: JSON, and the headers that Stripe sends.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Extensions, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

use crate::error::StripeError;

/// Stripe's name of a request, from the moment it comes in.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    pub fn of(extensions: &Extensions) -> String {
        extensions.get::<Self>().map_or_else(String::new, |id| id.0.clone())
    }
}

/// On an answer that came before execution began: no key keeps it.
#[derive(Clone, Copy, Debug)]
pub struct NotBegun;

/// Indented as Stripe's.
pub fn json(status: StatusCode, body: &Value) -> Response {
    raw(status, serde_json::to_vec_pretty(body).expect("a value is JSON"))
}

/// JSON that is written already.
pub fn raw(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, "application/json");
    response
}

/// The answer to a refused call.
pub fn error(error: &StripeError, request_id: &str) -> Response {
    let mut response = json(error.status, &error.show(request_id));
    if !error.begun {
        response.extensions_mut().insert(NotBegun);
    }
    match error.status {
        StatusCode::UNAUTHORIZED => set(&mut response, WWW_AUTHENTICATE, "Basic realm=\"Stripe\""),
        // A 500 is kept: trying again shows the same.
        StatusCode::INTERNAL_SERVER_ERROR => set(&mut response, SHOULD_RETRY, "false"),
        StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => set(&mut response, SHOULD_RETRY, "true"),
        _ => {}
    }
    response
}

/// Refuses what is known by its extensions only.
pub fn refuse(extensions: &Extensions, refusal: &StripeError) -> Response {
    error(refusal, &RequestId::of(extensions))
}

const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");

/// Sets a header; text that no header can carry is left out.
pub fn set(response: &mut Response, name: impl Into<HeaderName>, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name.into(), value);
    }
}
