//! Stripe's errors: one shape, and the messages that Stripe sends.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// A refused call, in Stripe's shape.
#[derive(Clone, Debug)]
pub struct StripeError {
    pub status: StatusCode,
    /// Execution had begun: an idempotency key keeps this answer.
    pub begun: bool,
    body: Map<String, Value>,
}

pub type Answer<T = Value> = Result<T, StripeError>;

impl StripeError {
    fn new(status: StatusCode, begun: bool, kind: &str, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("type".into(), kind.into());
        body.insert("message".into(), message.into().into());
        Self { status, begun, body }
    }

    /// A parameter that is wrong by itself: nothing was executed.
    pub fn parameter(param: &str, code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, false, "invalid_request_error", message)
            .with("param", param)
            .with_code(code)
    }

    /// A request that does not fit the state of things.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, true, "invalid_request_error", message)
    }

    /// The object that the path names is not there.
    pub fn missing(object: &str, id: &str) -> Self {
        let mut error = Self::absent(object, id, "id");
        error.status = StatusCode::NOT_FOUND;
        error
    }

    /// An object that a parameter names is not there.
    pub fn absent(object: &str, id: &str, param: &str) -> Self {
        Self::refused(format!("No such {object}: '{id}'")).with_code("resource_missing").with("param", param)
    }

    /// The bank says no.
    pub fn card(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYMENT_REQUIRED, true, "card_error", message).with_code(code)
    }

    /// Before the call reaches its endpoint.
    pub fn at_the_door(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, false, "invalid_request_error", message)
    }

    /// The key is not for that account.
    pub fn no_access(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, false, "invalid_request_error", message).with_code("account_invalid")
    }

    /// The key was used for something else.
    pub fn idempotency(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, false, "idempotency_error", message)
    }

    /// The key's first call is still executing.
    pub fn in_flight(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you \
             submitted twice, and the other request is still going through): {key}. Please try again later."
        );
        Self::new(StatusCode::CONFLICT, false, "idempotency_error", message)
            .with_code("idempotency_key_in_use")
    }

    /// Stripe itself failed.
    pub fn broken(status: StatusCode) -> Self {
        let message = "An unknown error occurred. If you have any questions, we can help at https://support.stripe.com/.";
        Self::new(status, true, "api_error", message)
    }

    /// Not so fast.
    pub fn rate_limited() -> Self {
        let message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, false, "invalid_request_error", message)
            .with_code("rate_limit")
    }

    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body.insert(field.into(), value.into());
        self
    }

    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        let page = code.replace('_', "-");
        self.with("code", code).with("doc_url", format!("https://stripe.com/docs/error-codes/{page}"))
    }

    /// The body of the answer.
    pub fn show(&self, request_id: &str) -> Value {
        let mut body = self.body.clone();
        let log = format!("https://dashboard.stripe.com/test/logs/{request_id}");
        body.insert("request_log_url".into(), log.into());
        json!({ "error": body })
    }
}
