//! Arguments of the wrong form: one code for all of them, and which field it was.

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ErrorExtensionValues, Name, ServerError, Value, Variables};
use contract::REJECTED_VALUE;

/// The code of every argument that is not of its type or out of its bounds.
pub(crate) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";

/// The router's own variable: the keys of entities, which are no input of the client's.
const ENTITIES: &str = "representations";

/// How async-graphql begins what it says about an argument: `Invalid value for argument "input.lines.0", expected …`.
const BY_TYPE: &str = "Invalid value for argument \"";

/// What the client sent along with a document, kept until it is known that nothing was wrong with it.
pub(super) struct Sent(Vec<(Name, Value)>);

impl Sent {
    pub(super) fn with(document: &ExecutableDocument, variables: &Variables) -> Self {
        let takes_some = document.operations.iter().any(|(_, it)| !it.node.variable_definitions.is_empty());
        let kept = variables.iter().filter(|(name, _)| takes_some && name.as_str() != ENTITIES);
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Says in errors about arguments which one it was, from the outside in.
    pub(super) fn locate(&self, errors: &mut [ServerError]) {
        for error in errors {
            if let Some(path) = argument(&error.message) {
                tell(error, &path);
            } else if let Some(rejected) = take_rejected(error) {
                let path = self.path_of(&rejected);
                if !path.is_empty() {
                    error.message = format!("{}: {}", path.join("."), error.message);
                }
                tell(error, &path);
            }
        }
    }

    fn path_of(&self, rejected: &Value) -> Vec<String> {
        let found = self.0.iter().find_map(|(name, value)| {
            let inner = path_within(value, rejected)?;
            Some([vec![name.to_string()], inner].concat())
        });
        found.unwrap_or_default()
    }
}

fn tell(error: &mut ServerError, path: &[String]) {
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("code", BAD_USER_INPUT);
    // An argument that is written into the document is where the error's location says.
    if !path.is_empty() {
        extensions.set("field", Value::List(path.iter().map(|step| Value::String(step.clone())).collect()));
    }
}

/// The argument in a message of async-graphql's own check of types.
fn argument(message: &str) -> Option<Vec<String>> {
    let (path, _) = message.strip_prefix(BY_TYPE)?.split_once('"')?;
    Some(path.split('.').map(str::to_owned).collect())
}

/// What a scalar of ours did not take.
fn take_rejected(error: &mut ServerError) -> Option<Value> {
    let extensions = error.extensions.as_mut()?;
    let rejected = extensions.get(REJECTED_VALUE)?.clone();
    extensions.unset(REJECTED_VALUE);
    Some(rejected)
}

fn path_within(value: &Value, rejected: &Value) -> Option<Vec<String>> {
    if value == rejected {
        return Some(vec![]);
    }
    let step = |name: String, inner: &Value| {
        let inner = path_within(inner, rejected)?;
        Some([vec![name], inner].concat())
    };
    match value {
        Value::List(items) => {
            items.iter().enumerate().find_map(|(index, item)| step(index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| step(name.to_string(), field)),
        _ => None,
    }
}
