//! What the router itself does not refuse: batches, JSON that is nested too deep, too much at the root.

use std::collections::HashSet;

use hive_router::{
    GraphQLError,
    graphql_tools::{
        ast::{OperationVisitor, OperationVisitorContext},
        static_graphql::query::{Document, Field, OperationDefinition, Selection, SelectionSet},
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
            let found = fields_at(root, context, &mut HashSet::new()).len();
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

/// A subscription is to one kind of event. The router's own rule takes two aliases of the same field for one.
pub(crate) struct OneEventField;

const SINGLE_FIELD: &str = "SingleFieldSubscriptions";

impl ValidationRule for OneEventField {
    fn error_code(&self) -> &'static str {
        SINGLE_FIELD
    }

    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(EventField)
    }
}

struct EventField;

impl<'doc> OperationVisitor<'doc, ValidationErrorContext> for EventField {
    fn enter_document(
        &mut self,
        context: &mut OperationVisitorContext<'doc>,
        errors: &mut ValidationErrorContext,
        document: &'doc Document,
    ) {
        for operation in document::operations(document) {
            let OperationDefinition::Subscription(subscription) = operation else { continue };
            let fields = fields_at(&subscription.selection_set, context, &mut HashSet::new());
            let keys: HashSet<_> =
                fields.iter().map(|field| field.alias.as_ref().unwrap_or(&field.name)).collect();
            if keys.len() > 1 || fields.iter().any(|field| field.name.starts_with("__")) {
                errors.report_error(ValidationError {
                    error_code: SINGLE_FIELD,
                    locations: vec![subscription.position],
                    message: "a subscription has one field at its root, and none of the schema".to_owned(),
                });
            }
        }
    }
}

/// A fragment is looked into once, however often it is spread: its fields merge.
fn fields_at<'doc>(
    root: &'doc SelectionSet,
    context: &OperationVisitorContext<'doc>,
    seen: &mut HashSet<&'doc str>,
) -> Vec<&'doc Field> {
    let mut fields = Vec::new();
    for selection in &root.items {
        match selection {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => {
                fields.extend(fields_at(&fragment.selection_set, context, seen));
            }
            Selection::FragmentSpread(spread) if seen.insert(&spread.fragment_name) => {
                let fragment = context.known_fragments.get(spread.fragment_name.as_str());
                fields.extend(fragment.iter().flat_map(|it| fields_at(&it.selection_set, context, seen)));
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    fields
}
