//! Every top-level error leaves with a code, a request id, and whether to try again.

use hive_router::{
    GraphQLError,
    executor::{
        plugins::plugin_trait::FromGraphQLErrorsToResponse, response::graphql_error::GraphQLErrorExtensions,
    },
    ntex::http::{Response, header::HeaderValue},
    sonic_rs::Value,
};
use http::{StatusCode, header::RETRY_AFTER};

use crate::requests;

/// A subgraph's error that says no code.
const UNNAMED: &str = "INTERNAL";

/// An operation that breaks a rule of GraphQL.
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

/// Codes of the router for what may be better a moment later. Subgraphs say `retryable` themselves.
const RETRYABLE: [&str; 6] = [
    "GATEWAY_TIMEOUT",
    "NO_SUPERGRAPH_AVAILABLE",
    "OVERLOADED",
    "SUBGRAPH_REQUEST_TIMEOUT",
    "SUBGRAPH_RESPONSE_FAILURE",
    "SUBREQUEST_HTTP_ERROR",
];

/// When a client that was turned away may come back.
const RETRY_AFTER_SECONDS: &str = "5";

/// Adds what is missing. What a subgraph said stays: its request id is the one in its logs.
pub(crate) fn complete(error: &mut GraphQLError) {
    let extensions = &mut error.extensions;
    name_rule(extensions);
    let code = extensions.code.get_or_insert_with(|| UNNAMED.to_owned());
    let is_retryable = RETRYABLE.contains(&code.as_str());
    extensions.extensions.entry("retryable".to_owned()).or_insert_with(|| Value::from(is_retryable));
    if let Some(id) = requests::id() {
        extensions.extensions.entry("requestId".to_owned()).or_insert_with(|| Value::from(id.as_str()));
    }
}

/// The router's code for a broken rule of GraphQL is the name of the rule, such as `FieldsOnCorrectType`: one code for
/// all of them, and the rule beside it. What came from a subgraph names its service and is left as it is.
fn name_rule(extensions: &mut GraphQLErrorExtensions) {
    let is_rule = |code: &mut String| code.bytes().any(|byte| byte.is_ascii_lowercase());
    if extensions.service_name.is_some() {
        return;
    }
    if let Some(rule) = extensions.code.take_if(is_rule) {
        extensions.code = Some(INVALID.to_owned());
        extensions.extensions.insert("rule".to_owned(), Value::from(rule.as_str()));
    }
}

/// A GraphQL answer with these errors and nothing else.
pub(crate) fn response(status: StatusCode, mut errors: Vec<GraphQLError>) -> Response {
    errors.iter_mut().for_each(complete);
    Response::from_graphql_errors_to_response(errors, status)
}

/// Too many clients at once.
pub(crate) fn overloaded() -> Response {
    let error = GraphQLError::from_message_and_code("too many clients are connected", "OVERLOADED");
    let mut response = response(StatusCode::SERVICE_UNAVAILABLE, vec![error]);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}
