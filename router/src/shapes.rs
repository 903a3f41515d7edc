//! What the schema says about fields and inputs, laid out to be looked up by name.

use std::collections::HashMap;

use hive_router::graphql_tools::static_graphql::schema::{
    Definition, Document, Field as Defined, InputObjectType, InputValue, Type, TypeDefinition,
};

/// Arguments that say how long a list may become.
const SIZES: [&str; 3] = ["first", "last", "limit"];

/// Of one schema, as clients see it.
pub(crate) struct Shapes {
    fields: HashMap<String, HashMap<String, Field>>,
    inputs: HashMap<String, Input>,
    pub query: String,
    pub mutation: String,
    pub subscription: String,
}

/// A field that can be asked for.
pub(crate) struct Field {
    /// The name of what it gives, without lists around it.
    pub of: String,
    pub is_list: bool,
    /// It takes an argument that says how many.
    pub is_sized: bool,
}

/// What a client can give.
pub(crate) enum Input {
    Enum(Vec<String>),
    Object { fields: Vec<InputValue>, is_one_of: bool },
}

impl Shapes {
    pub(crate) fn new(schema: &Document) -> Self {
        let root = |name: Option<&String>| name.cloned().unwrap_or_default();
        let mut shapes = Shapes {
            fields: HashMap::new(),
            inputs: HashMap::new(),
            query: root(schema.query_type_name()),
            mutation: root(schema.mutation_type_name()),
            subscription: root(schema.subscription_type_name()),
        };
        for definition in &schema.definitions {
            if let Definition::TypeDefinition(definition) = definition {
                shapes.learn(definition);
            }
        }
        shapes
    }

    fn learn(&mut self, definition: &TypeDefinition) {
        let (name, fields) = match definition {
            TypeDefinition::Object(object) => (&object.name, &object.fields),
            TypeDefinition::Interface(interface) => (&interface.name, &interface.fields),
            TypeDefinition::Enum(one_of) => {
                let values = one_of.values.iter().map(|value| value.name.clone()).collect();
                self.inputs.insert(one_of.name.clone(), Input::Enum(values));
                return;
            }
            TypeDefinition::InputObject(input) => {
                self.inputs.insert(input.name.clone(), object(input));
                return;
            }
            // Members of a union bring their own fields.
            TypeDefinition::Union(union) => (&union.name, &Vec::new()),
            TypeDefinition::Scalar(_) => return,
        };
        self.fields.insert(name.clone(), fields.iter().map(|it| (it.name.clone(), field(it))).collect());
    }

    pub(crate) fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        self.fields.get(parent)?.get(name)
    }

    /// Whether fields can be asked of it: an object, an interface or a union.
    pub(crate) fn is_composite(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// `None`: a scalar.
    pub(crate) fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.get(name)
    }
}

fn field(defined: &Defined) -> Field {
    let of = defined.field_type.inner_type().to_owned();
    let is_sized = defined.arguments.iter().any(|argument| is_size(&argument.name));
    Field { of, is_list: is_list(&defined.field_type), is_sized }
}

pub(crate) fn is_size(argument: &str) -> bool {
    SIZES.contains(&argument)
}

fn is_list(field_type: &Type) -> bool {
    match field_type {
        Type::NamedType(_) => false,
        Type::ListType(_) => true,
        Type::NonNullType(inner) => is_list(inner),
    }
}

fn object(input: &InputObjectType) -> Input {
    let is_one_of = input.directives.iter().any(|directive| directive.name == "oneOf");
    Input::Object { fields: input.fields.clone(), is_one_of }
}
