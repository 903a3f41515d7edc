//! The schema that clients see.

use hive_router::{
    graphql_tools::static_graphql::schema::{Document, TypeDefinition},
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
/// Text that is not a schema, or has no type `Query`.
pub fn api_schema(supergraph: &str) -> Result<String, CompositionError> {
    let supergraph = sdl::parse(supergraph).map_err(|error| CompositionError::Unusable(error.to_string()))?;
    if !sdl::objects(&supergraph).any(|object| object.name == "Query") {
        return Err(CompositionError::Unusable("there is no type Query".to_owned()));
    }
    let visible = ConsumerSchema::new_from_supergraph(&supergraph);
    Ok(sdl::print(without_built_ins(visible.document.as_ref().clone())))
}

fn without_built_ins(mut document: Document) -> Document {
    document.definitions.retain(|definition| match definition {
        Definition::SchemaDefinition(_) | Definition::TypeExtension(_) => false,
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
