//! The first gate: a request that brings a credential is refused here when the credential is not good.
//!
//! Subgraphs verify it again and decide what it allows; this only saves them the work.

use std::sync::Arc;

use hive_router::{
    GraphQLError,
    ntex::http::{HeaderMap, Response},
};
use http::{StatusCode, header::AUTHORIZATION};

use crate::errors;

/// Judges the value of an `Authorization` header. Called for each operation that has one, over HTTP (the header) and
/// over WebSocket (`Authorization` in the payload of `connection_init`), on the router's own threads: it must not block.
/// Gives whom the credential names: rate limits are counted for that name.
pub type CheckAuthorization = Arc<dyn Fn(&str) -> Result<Arc<str>, Refusal> + Send + Sync>;

/// Why a credential is not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `extensions.code` of the error, such as `UNAUTHENTICATED`.
    pub code: &'static str,
    /// Shown to the client.
    pub message: String,
}

impl Refusal {
    /// The refusal everyone knows.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Refusal { code: "UNAUTHENTICATED", message: message.into() }
    }
}

/// Whom the request's credential names, if it brings one.
pub(crate) fn viewer(check: &CheckAuthorization, headers: &HeaderMap) -> Result<Option<Arc<str>>, Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    match value.to_str() {
        Ok(value) => check(value).map(Some),
        Err(_) => Err(Refusal::unauthenticated("the authorization header is not plain text")),
    }
}

/// The answer to give instead of executing.
pub(crate) fn refused(refusal: Refusal) -> Response {
    let error = GraphQLError::from_message_and_code(refusal.message, refusal.code);
    errors::response(StatusCode::UNAUTHORIZED, vec![error])
}
