//! The limits that the router itself has not: batches, JSON that is nested too deep and fields at the root.

use std::collections::HashSet;

use hive_router::{
    GraphQLError,
    graphql_tools::{
        ast::{OperationVisitor, OperationVisitorContext},
        static_graphql::query::{Document, Selection, SelectionSet},
        validation::{
            rules::{ValidationRule, ValidationVisitor},
            utils::{ValidationError, ValidationErrorContext},
        },
    },
    ntex::http::Response,
};
use http::StatusCode;

use crate::{document, errors};

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

/// JSON is in the body, or in a value of the query string. Reading it costs stack for each level; looking at it does not.
pub(crate) fn refuse_deep_json(body: &[u8], query_string: &str, max: usize) -> Option<Response> {
    let mut values = form_urlencoded::parse(query_string.as_bytes());
    let is_too_deep = is_deeper(body, max) || values.any(|(_, value)| is_deeper(value.as_bytes(), max));
    is_too_deep.then(|| {
        let message = format!("the JSON is nested deeper than {max} levels");
        let error = GraphQLError::from_message_and_code(message, "JSON_TOO_DEEP");
        errors::response(StatusCode::BAD_REQUEST, vec![error])
    })
}

/// Whether more than `max` brackets are open at once, those in strings not counted.
fn is_deeper(json: &[u8], max: usize) -> bool {
    let mut bytes = json.iter();
    let (mut depth, mut in_string) = (0_usize, false);
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max {
            return true;
        }
    }
    false
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
        for root in document::operations(document).map(document::root_of) {
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

/// A fragment is counted once, however often it is spread: its fields merge.
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
