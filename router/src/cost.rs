//! What an operation may cost at most, estimated from the document and its variables before anything is planned.
//!
//! Points: one for each object that the answer may hold, what a request costs anyway, and more for what writes. A list
//! counts as often as its `first`, `last` or `limit` says; lists within lists multiply. What `@skip` and `@include`
//! leave out is counted, since an estimate must not be too low.

use std::collections::HashMap;

use hive_router::{
    GraphQLError,
    graphql_tools::static_graphql::query::{
        Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
        TypeCondition, Value, VariableDefinition,
    },
    sonic_rs::{self, JsonValueTrait},
};

use crate::{
    document,
    shapes::{self, Shapes},
};

/// Of a request, whatever it asks for.
pub(crate) const REQUEST: u64 = 10;
/// Of each field of a mutation: a transaction on the disk.
const WRITE: u64 = 50;
/// Of asking for the schema, whatever of it.
const INTROSPECTION: u64 = 100;
/// Items of a page whose size nobody said.
const PAGE: u64 = 20;
/// Items of a list that has no pages.
const LIST: u64 = 10;

/// An operation with all that says how large its answer may be.
pub(crate) struct Asked<'a> {
    pub document: &'a Document,
    pub operation_name: Option<&'a str>,
    pub variables: &'a HashMap<String, sonic_rs::Value>,
}

impl<'a> Asked<'a> {
    /// The operation that is meant. `None`: there is none of this name, which is said elsewhere.
    pub(crate) fn operation(&self) -> Option<&'a OperationDefinition> {
        let wanted = self.operation_name.filter(|name| !name.is_empty());
        document::operations(self.document)
            .find(|operation| wanted.is_none() || document::name_of(operation) == wanted)
    }

    pub(crate) fn is_subscription(&self) -> bool {
        matches!(self.operation(), Some(OperationDefinition::Subscription(_)))
    }

    /// Its cost in points. The document's fragments are known to end.
    pub(crate) fn cost(&self, shapes: &Shapes) -> u64 {
        let Some(operation) = self.operation() else { return REQUEST };
        let fragments = self.document.definitions.iter().filter_map(|definition| match definition {
            Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
            Definition::Operation(_) => None,
        });
        let estimate = Estimate {
            shapes,
            fragments: fragments.collect(),
            definitions: document::variables_of(operation),
            variables: self.variables,
        };
        let root = document::root_of(operation);
        let fields = match operation {
            OperationDefinition::Mutation(_) => {
                let writes = estimate.count(root);
                writes.saturating_mul(WRITE).saturating_add(estimate.of(root, &shapes.mutation, LIST))
            }
            OperationDefinition::Subscription(_) => estimate.of(root, &shapes.subscription, LIST),
            _ => estimate.of(root, &shapes.query, LIST),
        };
        fields.saturating_add(REQUEST)
    }
}

struct Estimate<'a> {
    shapes: &'a Shapes,
    fragments: HashMap<&'a str, &'a FragmentDefinition>,
    definitions: &'a [VariableDefinition],
    variables: &'a HashMap<String, sonic_rs::Value>,
}

impl<'a> Estimate<'a> {
    /// Of what is selected of one `parent`. `items`: how many are in each of its lists that say nothing themselves.
    fn of(&self, selections: &'a SelectionSet, parent: &str, items: u64) -> u64 {
        let costs = selections.items.iter().map(|selection| match selection {
            Selection::Field(field) => self.field(field, parent, items),
            Selection::InlineFragment(fragment) => {
                self.of(&fragment.selection_set, narrowed(fragment.type_condition.as_ref(), parent), items)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = self.fragments.get(spread.fragment_name.as_str());
                fragment.map_or(0, |it| {
                    self.of(&it.selection_set, narrowed(Some(&it.type_condition), parent), items)
                })
            }
        });
        costs.fold(0, u64::saturating_add)
    }

    fn field(&self, field: &'a Field, parent: &str, items: u64) -> u64 {
        if field.name.starts_with("__") {
            return if field.name == "__typename" { 0 } else { INTROSPECTION };
        }
        let Some(shape) = self.shapes.field(parent, &field.name) else { return 0 };
        if !self.shapes.is_composite(&shape.of) {
            return 0;
        }
        // A page is one object whose lists have as many items as was asked for.
        let said = shape.is_sized.then(|| self.size(field).unwrap_or(PAGE));
        let (times, inner) = match (shape.is_list, said) {
            (true, said) => (said.unwrap_or(items), LIST),
            (false, said) => (1, said.unwrap_or(LIST)),
        };
        self.of(&field.selection_set, &shape.of, inner).saturating_add(1).saturating_mul(times)
    }

    /// The largest number that an argument says. `None`: none does.
    fn size(&self, field: &Field) -> Option<u64> {
        let sizes = field.arguments.iter().filter(|(name, _)| shapes::is_size(name));
        sizes.filter_map(|(_, value)| self.number(value)).max()
    }

    fn number(&self, value: &Value) -> Option<u64> {
        let number = match value {
            Value::Int(number) => number.as_i64(),
            Value::Variable(name) => match self.variables.get(name) {
                Some(given) => given.as_i64(),
                None => self.default_of(name),
            },
            _ => None,
        };
        number.map(|number| u64::try_from(number).unwrap_or(0))
    }

    fn default_of(&self, variable: &str) -> Option<i64> {
        let definition = self.definitions.iter().find(|definition| definition.name == variable)?;
        match definition.default_value.as_ref()? {
            Value::Int(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Fields at this level, fragments included.
    fn count(&self, selections: &SelectionSet) -> u64 {
        let counts = selections.items.iter().map(|selection| match selection {
            Selection::Field(_) => 1,
            Selection::InlineFragment(fragment) => self.count(&fragment.selection_set),
            Selection::FragmentSpread(spread) => self
                .fragments
                .get(spread.fragment_name.as_str())
                .map_or(0, |fragment| self.count(&fragment.selection_set)),
        });
        counts.fold(0, u64::saturating_add)
    }
}

fn narrowed<'a>(condition: Option<&'a TypeCondition>, parent: &'a str) -> &'a str {
    match condition {
        Some(TypeCondition::On(name)) => name,
        None => parent,
    }
}

/// The refusal of what costs more than anybody may ask for at once.
pub(crate) fn too_high(cost: u64, max: u64) -> GraphQLError {
    let message =
        format!("the operation may cost {cost} points, at most {max} are accepted: ask for fewer items");
    let mut error = GraphQLError::from_message_and_code(message, "COST_TOO_HIGH");
    let facts = [("cost", cost), ("costMax", max)];
    error.append_extensions(facts.map(|(name, points)| (name.to_owned(), points.into())).into());
    error
}
