//! Variables against their types: each value that does not fit is named by its place and by what was expected there.

use std::{
    collections::HashMap,
    fmt::{self, Display},
};

use hive_router::{
    GraphQLError,
    graphql_tools::static_graphql::{
        query::VariableDefinition,
        schema::{InputValue, Type},
    },
    sonic_rs::{JsonContainerTrait, JsonType, JsonValueTrait, Object, Value},
};

use crate::shapes::{Input, Shapes};

/// A value that cannot be read as its type. The same code and facts as those of subgraphs.
pub(crate) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";

/// Enough to mend a form; not as many as somebody can send.
const TOLD_MAX: usize = 20;

/// Everything that is wrong with the variables of one operation. What is not declared is passed over.
pub(crate) fn wrong(
    definitions: &[VariableDefinition],
    values: &HashMap<String, Value>,
    shapes: &Shapes,
) -> Vec<GraphQLError> {
    let mut found = Vec::new();
    for definition in definitions {
        let mut look = Look { shapes, variable: &definition.name, path: Vec::new(), found: &mut found };
        match values.get(&definition.name) {
            Some(value) => look.at(value, &definition.var_type),
            None if definition.default_value.is_none() && is_required(&definition.var_type) => {
                look.tell(&definition.var_type, "nothing");
            }
            None => {}
        }
    }
    found.truncate(TOLD_MAX);
    found
}

/// A step from a variable into its value.
#[derive(Clone)]
enum Step {
    Field(String),
    Item(usize),
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

impl From<&Step> for Value {
    fn from(step: &Step) -> Self {
        match step {
            Step::Field(name) => Value::from(name.as_str()),
            Step::Item(index) => Value::from(*index as u64),
        }
    }
}

/// Walks into one variable. The JSON is not deeper than the limit on it allows.
struct Look<'a> {
    shapes: &'a Shapes,
    variable: &'a str,
    path: Vec<Step>,
    found: &'a mut Vec<GraphQLError>,
}

impl Look<'_> {
    fn at(&mut self, value: &Value, expected: &Type) {
        match expected {
            Type::NonNullType(_) if value.is_null() => self.tell(expected, "null"),
            Type::NonNullType(inner) => self.at(value, inner),
            _ if value.is_null() => {}
            Type::ListType(item) => match value.as_array() {
                Some(items) => {
                    for (index, value) in items.iter().enumerate() {
                        self.step(Step::Item(index), |look| look.at(value, item));
                    }
                }
                // One value stands for a list of one.
                None => self.at(value, item),
            },
            Type::NamedType(name) => self.named(value, name, expected),
        }
    }

    fn named(&mut self, value: &Value, name: &str, expected: &Type) {
        match self.shapes.input(name) {
            None if fits_scalar(value, name) => {}
            Some(Input::Enum(values))
                if value.as_str().is_some_and(|it| values.iter().any(|one| one == it)) => {}
            Some(Input::Object { fields, is_one_of }) => match value.as_object() {
                Some(object) => self.object(object, fields, *is_one_of, expected),
                None => self.tell(expected, kind(value)),
            },
            Some(Input::Enum(values)) => self.tell(&format!("{name}: {}", values.join(", ")), kind(value)),
            None => self.tell(expected, kind(value)),
        }
    }

    fn object(&mut self, object: &Object, fields: &[InputValue], is_one_of: bool, expected: &Type) {
        for field in fields {
            self.step(Step::Field(field.name.clone()), |look| match object.get(&field.name) {
                Some(value) => look.at(value, &field.value_type),
                None if field.default_value.is_none() && is_required(&field.value_type) => {
                    look.tell(&field.value_type, "nothing");
                }
                None => {}
            });
        }
        for (name, _) in object.iter().filter(|(name, _)| fields.iter().all(|field| field.name != *name)) {
            self.step(Step::Field(name.to_owned()), |look| {
                look.tell(&format!("a field of {expected}"), "one that it has not");
            });
        }
        let given = object.iter().filter(|(_, value)| !value.is_null()).count();
        if is_one_of && given != 1 {
            self.tell(&format!("{expected} with exactly one field"), &format!("{given} fields"));
        }
    }

    fn step(&mut self, step: Step, look: impl FnOnce(&mut Self)) {
        if self.found.len() < TOLD_MAX {
            self.path.push(step);
            look(self);
            self.path.pop();
        }
    }

    fn tell(&mut self, expected: &impl Display, found: &str) {
        let place: String = self.path.iter().map(Step::to_string).collect();
        let message = format!("${}{place}: expected {expected}, found {found}", self.variable);
        let mut error = GraphQLError::from_message_and_code(message, BAD_USER_INPUT);
        let path: Vec<Value> = self.path.iter().map(Value::from).collect();
        let facts = [
            ("variable", Value::from(self.variable)),
            ("path", Value::from(path)),
            ("expected", Value::from(expected.to_string().as_str())),
        ];
        error.append_extensions(facts.map(|(name, value)| (name.to_owned(), value)).into());
        self.found.push(error);
    }
}

fn is_required(expected: &Type) -> bool {
    matches!(expected, Type::NonNullType(_))
}

/// What a scalar of ours reads is for its subgraph to say.
fn fits_scalar(value: &Value, name: &str) -> bool {
    match name {
        "String" | "ID" => value.is_str(),
        "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        _ => true,
    }
}

/// Its kind, and not the value: that may be a password.
fn kind(value: &Value) -> &'static str {
    match value.get_type() {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Number if value.is_i64() || value.is_u64() => "an integer",
        JsonType::Number => "a number with a fraction",
        JsonType::String => "a string",
        JsonType::Object => "an object",
        JsonType::Array => "a list",
    }
}
