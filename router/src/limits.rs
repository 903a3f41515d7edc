//! The limits that the router itself has not: batches and fields at the root.

use std::collections::HashSet;

use hive_router::{
    GraphQLError,
    graphql_tools::{
        ast::{OperationVisitor, OperationVisitorContext},
        static_graphql::query::{Definition, Document, OperationDefinition, Selection, SelectionSet},
        validation::{
            rules::{ValidationRule, ValidationVisitor},
            utils::{ValidationError, ValidationErrorContext},
        },
    },
    ntex::http::Response,
};
use http::StatusCode;

use crate::errors;

/// A body that is a JSON array is a batch. There are none: a client sends operations side by side instead.
pub(crate) fn refuse_batch(body: &[u8]) -> Option<Response> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    (*first == b'[').then(|| {
        let error = GraphQLError::from_message_and_code(
            "batches are not accepted: send one operation per request",
            "BATCHING_NOT_SUPPORTED",
        );
        errors::response(StatusCode::BAD_REQUEST, vec![error])
    })
}

/// At most so many fields at the root of an operation, fragments included: each one may be a whole query.
pub(crate) struct MaxRootFields(pub usize);

const ROOT_FIELDS_EXCEEDED: &str = "MAX_ROOT_FIELDS_EXCEEDED";

impl ValidationRule for MaxRootFields {
    fn error_code(&self) -> &'static str {
        ROOT_FIELDS_EXCEEDED
    }

    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(RootFields { max: self.0 })
    }
}

struct RootFields {
    max: usize,
}

impl<'doc> OperationVisitor<'doc, ValidationErrorContext> for RootFields {
    fn enter_document(
        &mut self,
        context: &mut OperationVisitorContext<'doc>,
        errors: &mut ValidationErrorContext,
        document: &'doc Document,
    ) {
        let operations = document.definitions.iter().filter_map(|definition| match definition {
            Definition::Operation(operation) => Some(root_of(operation)),
            Definition::Fragment(_) => None,
        });
        for root in operations {
            let found = count_fields(root, context, &mut HashSet::new());
            if found > self.max {
                errors.report_error(ValidationError {
                    error_code: ROOT_FIELDS_EXCEEDED,
                    locations: vec![root.span.0],
                    message: format!(
                        "{found} fields at the root of the operation, at most {} are accepted",
                        self.max
                    ),
                });
            }
        }
    }
}

fn root_of(operation: &OperationDefinition) -> &SelectionSet {
    match operation {
        OperationDefinition::SelectionSet(root) => root,
        OperationDefinition::Query(query) => &query.selection_set,
        OperationDefinition::Mutation(mutation) => &mutation.selection_set,
        OperationDefinition::Subscription(subscription) => &subscription.selection_set,
    }
}

/// A fragment is counted once, however often it is spread: its fields merge, and fragments may (wrongly) be circular.
fn count_fields<'doc>(
    root: &'doc SelectionSet,
    context: &OperationVisitorContext<'doc>,
    seen: &mut HashSet<&'doc str>,
) -> usize {
    let mut count = 0;
    for selection in &root.items {
        count += match selection {
            Selection::Field(_) => 1,
            Selection::InlineFragment(fragment) => count_fields(&fragment.selection_set, context, seen),
            Selection::FragmentSpread(spread) if seen.insert(&spread.fragment_name) => {
                match context.known_fragments.get(spread.fragment_name.as_str()) {
                    Some(fragment) => count_fields(&fragment.selection_set, context, seen),
                    None => 0,
                }
            }
            Selection::FragmentSpread(_) => 0,
        };
    }
    count
}
