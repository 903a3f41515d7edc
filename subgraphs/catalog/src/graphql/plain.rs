//! Long lists of small objects whose fields are at hand: written in one go. A future for each field of each would cost more
//! than to find them.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

/// An object that tells its fields without waiting.
pub trait AtHand: OutputType {
    /// The value of the field with this name in the schema. None: it has no such field.
    fn field(&self, name: &str) -> Option<Value>;
}

/// A list of such objects.
pub struct Plain<T>(pub(super) Vec<T>);

impl<T> FromIterator<T> for Plain<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl<T: AtHand> OutputType for Plain<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match written(&self.0, ctx) {
            Some(objects) => Ok(Value::List(objects)),
            // Something else is asked for: fragments, directives, the name of the type.
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// None: more than fields is asked for.
fn written<T: AtHand>(objects: &[T], ctx: &ContextSelectionSet<'_>) -> Option<Vec<Value>> {
    let asked = ctx.item.node.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) if field.node.directives.is_empty() => {
            Some((&field.node.response_key().node, field.node.name.node.as_str()))
        }
        _ => None,
    });
    let asked: Vec<(&Name, &str)> = asked.collect::<Option<_>>()?;
    let write = |object: &T| {
        let fields = asked.iter().map(|(key, name)| Some(((*key).clone(), object.field(name)?)));
        fields.collect::<Option<IndexMap<Name, Value>>>().map(Value::Object)
    };
    objects.iter().map(write).collect()
}
