//! The schema that clients see.

use hive_router::{
    graphql_tools::static_graphql::schema::{Document, SchemaDefinition, TypeDefinition},
    query_planner::consumer_schema::ConsumerSchema,
};

use crate::{
    CompositionError,
    sdl::{self, Definition},
};

const BUILT_IN_SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];
const BUILT_IN_DIRECTIVES: [&str; 5] = ["deprecated", "include", "oneOf", "skip", "specifiedBy"];

/// A supergraph without what is the router's business: joins, federation, inaccessible parts. In SDL, stable in its
/// order, so that two versions can be compared line by line.
///
/// # Errors
/// Text that is not a schema, or has no query type.
pub fn api_schema(supergraph: &str) -> Result<String, CompositionError> {
    let supergraph = sdl::parse(supergraph).map_err(|error| CompositionError::Unusable(error.to_string()))?;
    if supergraph.query_type_name().is_none() {
        return Err(CompositionError::Unusable("there is no query type".to_owned()));
    }
    let visible = ConsumerSchema::new_from_supergraph(&supergraph);
    Ok(sdl::print(without_built_ins(visible.document.as_ref().clone())))
}

/// Roots with these names need not be said.
fn has_usual_names(roots: &SchemaDefinition) -> bool {
    let is = |root: &Option<String>, usual: &str| root.as_deref().is_none_or(|name| name == usual);
    is(&roots.query, "Query") && is(&roots.mutation, "Mutation") && is(&roots.subscription, "Subscription")
}

fn without_built_ins(mut document: Document) -> Document {
    document.definitions.retain(|definition| match definition {
        Definition::SchemaDefinition(roots) => !has_usual_names(roots),
        Definition::TypeExtension(_) => false,
        Definition::DirectiveDefinition(directive) => !BUILT_IN_DIRECTIVES.contains(&directive.name.as_str()),
        Definition::TypeDefinition(TypeDefinition::Scalar(scalar)) => {
            !BUILT_IN_SCALARS.contains(&scalar.name.as_str())
        }
        Definition::TypeDefinition(definition) => !sdl::name(definition).starts_with("__"),
    });
    for object in sdl::objects_mut(&mut document) {
        object.fields.retain(|field| !field.name.starts_with("__"));
    }
    document
}
