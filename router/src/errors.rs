//! Every top-level error leaves with a code, a request id, and whether to try again.

use hive_router::{
    GraphQLError,
    executor::{
        plugins::plugin_trait::FromGraphQLErrorsToResponse, response::graphql_error::GraphQLErrorExtensions,
    },
    ntex::http::{Response, header::HeaderValue},
    sonic_rs::Value,
};
use http::{
    StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use crate::{media::Media, requests, variables::BAD_USER_INPUT};

/// A subgraph's error that says no code.
const UNNAMED: &str = "INTERNAL";

/// An operation that breaks a rule of GraphQL.
const INVALID: &str = "GRAPHQL_VALIDATION_FAILED";

/// The rule that a value written into the document breaks. A variable with such a value has the same code.
const WRONG_VALUE: &str = "ValuesOfCorrectType";

/// Codes of the router for what may be better a moment later. Subgraphs say `retryable` themselves.
const RETRYABLE: [&str; 9] = [
    "GATEWAY_TIMEOUT",
    "NO_SUPERGRAPH_AVAILABLE",
    "OVERLOADED",
    "RATE_LIMITED",
    "TOO_MANY_CONNECTIONS",
    "TOO_MANY_SUBSCRIPTIONS",
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
    let is_ours = extensions.service_name.is_none();
    let code = extensions.code.get_or_insert_with(|| UNNAMED.to_owned());
    if is_ours && !extensions.extensions.contains_key("requestId") {
        metrics::counter!("souk_router_refusals_total", "code" => code.clone()).increment(1);
    }
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
        let code = if rule == WRONG_VALUE { BAD_USER_INPUT } else { INVALID };
        extensions.code = Some(code.to_owned());
        extensions.extensions.insert("rule".to_owned(), Value::from(rule.as_str()));
    }
}

/// Why a well-formed request is not executed.
pub(crate) fn refusal(media: Media, errors: Vec<GraphQLError>) -> Response {
    let status = if media == Media::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = response(status, errors);
    if media == Media::GraphQLResponse {
        let media = HeaderValue::from_static("application/graphql-response+json");
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    response
}

/// The status where the router's own is not what HTTP means by it.
pub(crate) fn status_of(error: &GraphQLError, status: StatusCode) -> StatusCode {
    match error.extensions.code.as_deref() {
        Some("MISSING_CONTENT_TYPE_HEADER") => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Some("SUBSCRIPTIONS_NOT_SUPPORTED") => StatusCode::NOT_ACCEPTABLE,
        _ => status,
    }
}

/// A GraphQL answer with these errors and nothing else.
pub(crate) fn response(status: StatusCode, mut errors: Vec<GraphQLError>) -> Response {
    errors.iter_mut().for_each(complete);
    Response::from_graphql_errors_to_response(errors, status)
}

/// The client accepts nothing that there is.
pub(crate) fn not_acceptable() -> Response {
    let accepted = "application/json, application/graphql-response+json, text/event-stream, multipart/mixed";
    let message = format!("answers are one of: {accepted}");
    response(StatusCode::NOT_ACCEPTABLE, vec![GraphQLError::from_message_and_code(message, "NOT_ACCEPTABLE")])
}

/// Too many clients at once.
pub(crate) fn overloaded() -> Response {
    let error = GraphQLError::from_message_and_code("too many clients are connected", "OVERLOADED");
    let mut response = response(StatusCode::SERVICE_UNAVAILABLE, vec![error]);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    response
}
