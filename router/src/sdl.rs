//! Schema text: parsed by the same parser as the router's, printed in a stable order.

use hive_router::graphql_tools::{
    parser::schema::{self, ParseError, parse_schema},
    static_graphql::schema::{Document, ObjectType, TypeDefinition},
};

pub(crate) type Definition = schema::Definition<'static, String>;

pub(crate) fn parse(sdl: &str) -> Result<Document, ParseError> {
    Ok(parse_schema::<String>(sdl)?.into_static())
}

/// The same schema is the same text: the schema itself, then directives, then roots, then types by name.
pub(crate) fn print(mut document: Document) -> String {
    document.definitions.sort_by(|left, right| rank(left).cmp(&rank(right)));
    format!("{}\n", document.to_string().trim_end())
}

fn rank(definition: &Definition) -> (u8, &str) {
    match definition {
        Definition::SchemaDefinition(_) => (0, ""),
        Definition::DirectiveDefinition(directive) => (1, &directive.name),
        Definition::TypeDefinition(definition) => match name(definition) {
            "Query" => (2, ""),
            "Mutation" => (3, ""),
            "Subscription" => (4, ""),
            name => (5, name),
        },
        Definition::TypeExtension(_) => (6, ""),
    }
}

pub(crate) fn name(definition: &TypeDefinition) -> &str {
    match definition {
        TypeDefinition::Scalar(scalar) => &scalar.name,
        TypeDefinition::Object(object) => &object.name,
        TypeDefinition::Interface(interface) => &interface.name,
        TypeDefinition::Union(union) => &union.name,
        TypeDefinition::Enum(one_of) => &one_of.name,
        TypeDefinition::InputObject(input) => &input.name,
    }
}

pub(crate) fn objects(document: &Document) -> impl Iterator<Item = &ObjectType> {
    document.definitions.iter().filter_map(|definition| match definition {
        Definition::TypeDefinition(TypeDefinition::Object(object)) => Some(object),
        _ => None,
    })
}

pub(crate) fn objects_mut(document: &mut Document) -> impl Iterator<Item = &mut ObjectType> {
    document.definitions.iter_mut().filter_map(|definition| match definition {
        Definition::TypeDefinition(TypeDefinition::Object(object)) => Some(object),
        _ => None,
    })
}
