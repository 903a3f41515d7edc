//! Over WebSocket the router says only that an operation is not valid. Here it is said what is wrong with it.

use std::sync::Arc;

use hive_router::{
    GraphQLError,
    executor::hooks::on_graphql_params::GraphQLParams,
    graphql_tools::validation::validate::{ValidationPlan, validate},
    ntex::http::Response,
    query_planner::{consumer_schema::ConsumerSchema, utils::parsing::safe_parse_operation_with_token_limit},
};
use http::StatusCode;

use crate::{Limits, document, errors};

/// What an operation has to comply with, the same as over HTTP.
pub(crate) struct Check {
    pub schema: Arc<ConsumerSchema>,
    pub rules: Arc<ValidationPlan>,
    pub limits: Limits,
}

impl Check {
    /// `Some`: what to answer instead of executing.
    pub(crate) fn refuse(&self, operation: &GraphQLParams) -> Option<Response> {
        let errors = self.errors(operation.query.as_deref()?, operation.operation_name.as_deref());
        (!errors.is_empty()).then(|| errors::response(StatusCode::BAD_REQUEST, errors))
    }

    fn errors(&self, query: &str, operation_name: Option<&str>) -> Vec<GraphQLError> {
        match safe_parse_operation_with_token_limit(query, self.limits.tokens) {
            Ok(document) => match document::refuse(&document, operation_name, &self.limits) {
                Some(error) => vec![error],
                None => validate(&self.schema.document, &document, &self.rules)
                    .iter()
                    .map(GraphQLError::from)
                    .collect(),
            },
            Err(error) => {
                let message = format!("Failed to parse GraphQL operation: {error}");
                vec![GraphQLError::from_message_and_code(message, "GRAPHQL_PARSE_FAILED")]
            }
        }
    }
}
