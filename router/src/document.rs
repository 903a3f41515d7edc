//! What a document costs once each fragment stands where it is spread, known before anything walks through it that way.

use std::collections::HashMap;

use hive_router::{
    GraphQLError,
    graphql_tools::static_graphql::query::{
        Definition, Document, OperationDefinition, Selection, SelectionSet, VariableDefinition,
    },
};

use crate::Limits;

/// `Some`: why nothing more is done with it. `operation_name` is what the client said beside the document.
pub(crate) fn refuse(
    document: &Document,
    operation_name: Option<&str>,
    limits: &Limits,
) -> Option<GraphQLError> {
    let fragments = match fragments(document, limits) {
        Ok(fragments) => fragments,
        Err((code, message)) => return Some(GraphQLError::from_message_and_code(message, code)),
    };
    let mut sizes = fragments.values().flatten().copied().chain(
        operations(document)
            .map(|operation| size_of(root_of(operation), &fragments).expect("the fragments are all known")),
    );
    let too_large = sizes.find_map(|size| size.exceeds(limits));
    too_large.or_else(|| unclear(document, operation_name))
}

pub(crate) fn root_of(operation: &OperationDefinition) -> &SelectionSet {
    match operation {
        OperationDefinition::SelectionSet(root) => root,
        OperationDefinition::Query(query) => &query.selection_set,
        OperationDefinition::Mutation(mutation) => &mutation.selection_set,
        OperationDefinition::Subscription(subscription) => &subscription.selection_set,
    }
}

pub(crate) fn name_of(operation: &OperationDefinition) -> Option<&str> {
    match operation {
        OperationDefinition::SelectionSet(_) => None,
        OperationDefinition::Query(query) => query.name.as_deref(),
        OperationDefinition::Mutation(mutation) => mutation.name.as_deref(),
        OperationDefinition::Subscription(subscription) => subscription.name.as_deref(),
    }
}

pub(crate) fn variables_of(operation: &OperationDefinition) -> &[VariableDefinition] {
    match operation {
        OperationDefinition::SelectionSet(_) => &[],
        OperationDefinition::Query(query) => &query.variable_definitions,
        OperationDefinition::Mutation(mutation) => &mutation.variable_definitions,
        OperationDefinition::Subscription(subscription) => &subscription.variable_definitions,
    }
}

pub(crate) fn operations(document: &Document) -> impl Iterator<Item = &OperationDefinition> {
    document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    })
}

/// Of a selection set.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Fields and spreads: a spread of nothing is work as well.
    fields: usize,
    /// Selection sets within each other.
    nesting: usize,
}

impl Size {
    fn exceeds(self, limits: &Limits) -> Option<GraphQLError> {
        if self.fields > limits.fields {
            let message =
                format!("more than {} fields, each fragment counted where it is spread", limits.fields);
            return Some(GraphQLError::from_message_and_code(message, "MAX_FIELDS_EXCEEDED"));
        }
        (self.nesting > limits.nesting).then(|| {
            let message = format!(
                "nested deeper than {} levels, each fragment counted where it is spread",
                limits.nesting
            );
            GraphQLError::from_message_and_code(message, "MAX_NESTING_EXCEEDED")
        })
    }
}

/// By name. `None`: it spreads one that is not known yet.
type Sizes<'doc> = HashMap<&'doc str, Option<Size>>;

/// The code and the message of a refusal.
type Refused = (&'static str, String);

/// Sizes of all fragments: in each round, those that spread only what is known by then.
fn fragments<'doc>(document: &'doc Document, limits: &Limits) -> Result<Sizes<'doc>, Refused> {
    let mut waiting = named(document, limits)?;
    let mut sizes: Sizes = waiting.iter().map(|(name, _)| (*name, None)).collect();
    if sizes.len() < waiting.len() {
        return Err(("UniqueFragmentNames", "two fragments have the same name".to_owned()));
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|(name, selections)| {
            let size = size_of(selections, &sizes);
            sizes.insert(name, size);
            size.is_none()
        });
        if waiting.len() == before {
            return Err(("NoFragmentsCycle", "a fragment spreads itself".to_owned()));
        }
    }
    Ok(sizes)
}

fn named<'doc>(
    document: &'doc Document,
    limits: &Limits,
) -> Result<Vec<(&'doc str, &'doc SelectionSet)>, Refused> {
    let named = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), &fragment.selection_set)),
        Definition::Operation(_) => None,
    });
    let named: Vec<_> = named.collect();
    if named.len() > limits.fragments {
        let message = format!("{} fragments, at most {} are accepted", named.len(), limits.fragments);
        return Err(("MAX_FRAGMENTS_EXCEEDED", message));
    }
    Ok(named)
}

/// `None`: it spreads a fragment whose size is not known yet. Calls itself only as deep as the parser lets brackets nest.
fn size_of(selections: &SelectionSet, fragments: &Sizes) -> Option<Size> {
    let mut size = Size::default();
    for selection in &selections.items {
        let inner = match selection {
            Selection::Field(field) => size_of(&field.selection_set, fragments)?,
            Selection::InlineFragment(fragment) => size_of(&fragment.selection_set, fragments)?,
            // One that is not there at all is left to validation.
            Selection::FragmentSpread(spread) => {
                fragments.get(spread.fragment_name.as_str()).copied().unwrap_or(Some(Size::default()))?
            }
        };
        size.fields = size.fields.saturating_add(inner.fields).saturating_add(1);
        size.nesting = size.nesting.max(inner.nesting.saturating_add(1));
    }
    Some(size)
}

/// Which of several operations is meant is for the client to say.
fn unclear(document: &Document, operation_name: Option<&str>) -> Option<GraphQLError> {
    let is_unclear = operation_name.is_none_or(str::is_empty) && operations(document).nth(1).is_some();
    is_unclear.then(|| {
        let message = "operationName is needed: the document has several operations";
        GraphQLError::from_message_and_code(message, "OPERATION_NAME_REQUIRED")
    })
}
