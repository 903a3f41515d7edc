//! Who describes a type that several subgraphs have: its owner, not a stub that only points to it.

use cynic_parser::type_system::{Description, Directive, ObjectDefinition};
use hive_router::graphql_tools::static_graphql::schema::Document;

use super::Part;
use crate::sdl;

/// Gives each object that has an owner the owner's words, and its fields as far as the owner has them.
pub(super) fn describe(supergraph: &mut Document, parts: &[Part]) {
    for object in sdl::objects_mut(supergraph) {
        let Some(owner) = owner(&object.name, parts) else { continue };
        object.description = text(owner.description());
        for field in &mut object.fields {
            if let Some(owned) = owner.fields().find(|owned| owned.name() == field.name) {
                field.description = text(owned.description());
            }
        }
    }
}

/// Of the subgraphs where the type's key leads to the thing, the one that knows most about it: the others add to it.
fn owner<'a>(name: &'a str, parts: &'a [Part]) -> Option<ObjectDefinition<'a>> {
    let definitions = parts.iter().flat_map(|part| part.objects(name));
    // The first of equals, so that the order of names decides and not chance.
    definitions
        .filter(is_resolvable)
        .reduce(|most, next| if next.fields().len() > most.fields().len() { next } else { most })
}

fn is_resolvable(object: &ObjectDefinition) -> bool {
    object.directives().filter(is_key).any(|key| {
        let resolvable = key.arguments().find(|argument| argument.name() == "resolvable");
        resolvable.and_then(|argument| argument.value().as_bool()).unwrap_or(true)
    })
}

fn is_key(directive: &Directive) -> bool {
    matches!(directive.name(), "key" | "federation__key")
}

fn text(description: Option<Description>) -> Option<String> {
    description.map(|description| description.to_cow().into_owned())
}
