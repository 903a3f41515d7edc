//! Many schemas become one: the composition, and what it leaves out.

mod owner;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cynic_parser::{
    TypeSystemDocument, parse_type_system_document,
    type_system::{Definition as Read, ObjectDefinition, TypeDefinition as ReadType},
};
use graphql_composition::{Subgraphs, render_federated_sdl};
use hive_router::graphql_tools::{
    parser::{Pos, schema::Value},
    static_graphql::schema::{Directive, Document, TypeDefinition},
};

use crate::sdl::{self, Definition};

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// What a subgraph brings into the supergraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphSchema {
    pub name: String,
    /// Where its GraphQL is served.
    pub url: String,
    /// With federation directives, as `{ _service { sdl } }` gives it.
    pub sdl: String,
}

/// Why there is no supergraph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompositionError {
    #[error("the schema of subgraph `{subgraph}` is not valid: {cause}")]
    Schema { subgraph: String, cause: String },
    #[error("the subgraphs do not fit together:\n{}", .0.iter().map(|one| format!("  - {one}")).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<String>),
    #[error("the supergraph is not usable: {0}")]
    Unusable(String),
}

/// A subgraph with its schema read.
struct Part<'a> {
    schema: &'a SubgraphSchema,
    document: TypeSystemDocument,
}

impl Part<'_> {
    /// The objects of this name, extensions included.
    fn objects<'a>(&'a self, name: &'a str) -> impl Iterator<Item = ObjectDefinition<'a>> {
        self.document.definitions().filter_map(move |definition| match definition {
            Read::Type(ReadType::Object(found)) | Read::TypeExtension(ReadType::Object(found))
                if found.name() == name =>
            {
                Some(found)
            }
            _ => None,
        })
    }
}

/// The supergraph of these subgraphs, in SDL, stable in its order whatever the order of the subgraphs.
///
/// The description of a type that several subgraphs have is its owner's, not that of a stub.
///
/// # Errors
/// Each names the subgraph and the cause; there is never half a supergraph.
pub fn compose(subgraphs: &[SubgraphSchema]) -> Result<String, CompositionError> {
    let mut parts = subgraphs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by(|left, right| left.schema.name.cmp(&right.schema.name));
    let composed = merge(&parts)?;
    let mut supergraph =
        sdl::parse(&composed).map_err(|error| CompositionError::Unusable(error.to_string()))?;
    join_roots(&mut supergraph, &parts);
    owner::describe(&mut supergraph, &parts);
    Ok(sdl::print(supergraph))
}

fn read(schema: &SubgraphSchema) -> Result<Part<'_>, CompositionError> {
    let invalid = |cause| CompositionError::Schema { subgraph: schema.name.clone(), cause };
    if let Some(unreadable) = schema.sdl.chars().find(is_unreadable) {
        return Err(invalid(format!("the composition cannot read the character {unreadable:?}")));
    }
    let document = parse_type_system_document(&schema.sdl)
        .map_err(|error| invalid(error.to_report(&schema.sdl).to_string()))?;
    Ok(Part { schema, document })
}

/// The parser panics on these in a block string.
fn is_unreadable(character: &char) -> bool {
    *character > '\u{FFFF}' || (character.is_control() && !character.is_ascii_whitespace())
}

fn merge(parts: &[Part]) -> Result<String, CompositionError> {
    let mut subgraphs = Subgraphs::default();
    for Part { schema, document } in parts {
        subgraphs.ingest(document, &schema.name, Some(&schema.url));
    }
    let composed = graphql_composition::compose(&mut subgraphs).into_result().map_err(|diagnostics| {
        CompositionError::Conflicts(diagnostics.iter_errors().map(str::to_owned).collect())
    })?;
    render_federated_sdl(&composed).map_err(|error| CompositionError::Unusable(error.to_string()))
}

/// The composition does not say which subgraphs have a part in the roots, and the router then finds no way into them.
fn join_roots(supergraph: &mut Document, parts: &[Part]) {
    let graphs = graphs(supergraph);
    for root in sdl::objects_mut(supergraph).filter(|object| ROOTS.contains(&object.name.as_str())) {
        root.directives.retain(|directive| directive.name != "join__type");
        let with_a_field = parts.iter().filter(|part| has_fields(part, &root.name));
        let joins =
            with_a_field.filter_map(|part| graphs.get(&part.schema.name)).map(|graph| join_type(graph));
        root.directives.extend(joins);
    }
}

/// By the name of the subgraph: its name in the enum `join__Graph`.
fn graphs(supergraph: &Document) -> BTreeMap<String, String> {
    let values = supergraph.definitions.iter().filter_map(|definition| match definition {
        Definition::TypeDefinition(TypeDefinition::Enum(found)) if found.name == "join__Graph" => {
            Some(&found.values)
        }
        _ => None,
    });
    let named = values.flatten().filter_map(|value| {
        let directive = value.directives.iter().find(|directive| directive.name == "join__graph")?;
        Some((string_argument(directive, "name")?, value.name.clone()))
    });
    named.collect()
}

fn string_argument(directive: &Directive, name: &str) -> Option<String> {
    directive.arguments.iter().find_map(|(argument, value)| match value {
        Value::String(text) if argument == name => Some(text.clone()),
        _ => None,
    })
}

/// Whether the subgraph has a field of its own in this root: `_service` and `_entities` are the router's.
fn has_fields(part: &Part, root: &str) -> bool {
    part.objects(root).flat_map(|object| object.fields()).any(|field| !field.name().starts_with('_'))
}

fn join_type(graph: &str) -> Directive {
    Directive {
        position: Pos::default(),
        name: "join__type".to_owned(),
        arguments: vec![("graph".to_owned(), Value::Enum(graph.to_owned()))],
    }
}
