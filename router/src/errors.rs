//! Every top-level error leaves with `extensions.code` and `extensions.requestId`.

use hive_router::{
    GraphQLError, executor::plugins::plugin_trait::FromGraphQLErrorToResponse, ntex::http::Response,
    sonic_rs::Value,
};
use http::StatusCode;

use crate::requests;

/// A subgraph's error that says no code.
const UNNAMED: &str = "INTERNAL";

/// Adds what is missing.
pub(crate) fn complete(error: &mut GraphQLError) {
    error.extensions.code.get_or_insert_with(|| UNNAMED.to_owned());
    if let Some(id) = requests::id() {
        error.extensions.extensions.insert("requestId".to_owned(), Value::from(id.as_str()));
    }
}

/// A GraphQL answer with this one error and nothing else.
pub(crate) fn response(status: StatusCode, mut error: GraphQLError) -> Response {
    complete(&mut error);
    Response::from_graphql_error_to_response(error, status)
}
