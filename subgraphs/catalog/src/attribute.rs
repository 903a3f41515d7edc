//! Attributes: what may be said about products, and what is said about one.

use std::collections::HashMap;

use chassis::auth::Viewer;
use chassis::{Failure, Outcome, Tx, audit};
use chrono::{DateTime, Utc};
use contract::ProductId;
use entity::catalog::attribute::{self, Kind};
use entity::catalog::{product, product_attribute};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::json;

use crate::input::{Checks, Problem};
use crate::number::Number;
use crate::product::{Closed, Target, open, touch};
use crate::search::{self, Changed};

/// Attributes of a product.
const ATTRIBUTES_MAX: usize = 100;
/// Options of a one-of.
const OPTIONS_MAX: usize = 100;
/// Characters of a name.
const NAME_LENGTH_MAX: usize = 64;
/// Characters of a label, a text or an option.
pub(crate) const TEXT_LENGTH_MAX: usize = 255;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(Number),
    Boolean(bool),
    /// One of the attribute's options.
    OneOf(String),
}

impl Value {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::Boolean(_) => Kind::Boolean,
            Self::OneOf(_) => Kind::OneOf,
        }
    }
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The attribute's.
    pub name: String,
    pub value: Value,
}

/// An attribute that products may have.
#[derive(Clone, Debug)]
pub struct Define {
    /// a-z, 0-9 and underscores, beginning with a letter.
    pub name: String,
    /// How people call it.
    pub label: String,
    pub kind: Kind,
    /// The values of a one-of.
    pub options: Vec<String>,
    /// Whether search counts its values and filters by them. None: as it is; a new one-of or boolean is.
    pub filterable: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefineRefusal {
    Invalid(Vec<Problem>),
    /// It is defined with another kind.
    KindFixed,
    /// Options can be added, never removed: products may have them.
    OptionRemoved,
}

/// Defines an attribute, or gives a defined one another label and more options.
pub async fn define(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    command: Define,
) -> Outcome<attribute::Model, DefineRefusal> {
    let defined = write(tx, now, command).await?;
    if let Ok(definition) = &defined {
        let details = json!({ "label": definition.label, "options": options(definition) });
        let actor = viewer.user.to_string();
        audit::record(tx, now, &actor, "define_attribute", &definition.name, details).await?;
    }
    Ok(defined)
}

async fn write(tx: &Tx, now: DateTime<Utc>, command: Define) -> Outcome<attribute::Model, DefineRefusal> {
    let mut checks = Checks::default();
    let filterable = command.filterable;
    let mut definition = definition(&mut checks, command);
    if let Err(problems) = checks.done() {
        return Ok(Err(DefineRefusal::Invalid(problems)));
    }
    let inserted = attribute::Entity::insert(definition.clone().into_active_model())
        .on_conflict(OnConflict::column(attribute::Column::Name).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 1 {
        return Ok(Ok(definition));
    }
    let known = attribute::Entity::find_by_id(&definition.name).lock_exclusive().one(tx).await?;
    let known = known.ok_or_else(|| Failure::msg("an attribute vanished"))?;
    if known.kind != definition.kind {
        return Ok(Err(DefineRefusal::KindFixed));
    }
    let kept = options(&definition);
    if options(&known).iter().any(|option| !kept.contains(option)) {
        return Ok(Err(DefineRefusal::OptionRemoved));
    }
    definition.filterable = filterable.unwrap_or(known.filterable);
    let definition = definition.into_active_model().reset_all().update(tx).await?;
    // Facets show both.
    if (definition.filterable, &definition.label) != (known.filterable, &known.label) {
        search::note(tx, now, Changed::Having(&definition.name)).await?;
    }
    Ok(Ok(definition))
}

fn definition(checks: &mut Checks, command: Define) -> attribute::Model {
    checks.expect(is_name(&command.name), "name", NAME_RULE);
    let label = checks.line("label", &command.label, TEXT_LENGTH_MAX);
    let options = checks.list("options", command.options, OPTIONS_MAX);
    match command.kind {
        Kind::OneOf => checks.expect(!options.is_empty(), "options", "must not be empty"),
        _ => checks.expect(options.is_empty(), "options", "only a ONE_OF has options"),
    }
    for (index, option) in options.iter().enumerate() {
        checks.expect(!options[..index].contains(option), "options", format!("has item {index} twice"));
        checks.line("options", option, TEXT_LENGTH_MAX);
    }
    attribute::Model {
        name: command.name,
        label,
        kind: command.kind,
        options: serde_json::Value::from(options).to_string(),
        filterable: command.filterable.unwrap_or(is_filterable(command.kind)),
    }
}

/// Whether an attribute of a kind is a facet when nobody says: few values, shared by many products.
pub(crate) fn is_filterable(kind: Kind) -> bool {
    matches!(kind, Kind::OneOf | Kind::Boolean)
}

const NAME_RULE: &str = "must have 1 to 64 characters: a-z, 0-9, _, beginning with a letter";

pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= NAME_LENGTH_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The options of a definition.
pub(crate) fn options(definition: &attribute::Model) -> Vec<String> {
    serde_json::from_str(&definition.options).expect("options are stored as a JSON array of texts")
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetRefusal {
    Invalid(Vec<Problem>),
    Closed(Closed),
    /// Nobody defined an attribute of this name.
    UnknownAttribute {
        index: usize,
    },
    /// The value has another kind than the attribute.
    WrongKind {
        index: usize,
        kind: Kind,
    },
    /// The value is not one of the attribute's options.
    NotAnOption {
        index: usize,
    },
}

/// Says these things about a product, and nothing else.
pub async fn set(
    tx: &Tx,
    now: DateTime<Utc>,
    viewer: &Viewer,
    target: Target,
    values: Vec<Named>,
) -> Outcome<product::Model, SetRefusal> {
    let mut checks = Checks::default();
    let values = checked(&mut checks, values);
    if let Err(problems) = checks.done() {
        return Ok(Err(SetRefusal::Invalid(problems)));
    }
    let product = match open(tx, viewer, target).await? {
        Ok(product) => product,
        Err(closed) => return Ok(Err(SetRefusal::Closed(closed))),
    };
    let known = definitions(tx, values.iter().map(|named| named.name.clone())).await?;
    if let Some(refusal) = unfit(&known, &values) {
        return Ok(Err(refusal));
    }
    product_attribute::Entity::delete_many()
        .filter(product_attribute::Column::ProductId.eq(product.id))
        .exec(tx)
        .await?;
    if !values.is_empty() {
        product_attribute::Entity::insert_many(rows(product.id, values)).exec_without_returning(tx).await?;
    }
    Ok(Ok(touch(tx, now, product).await?))
}

pub(crate) fn checked(checks: &mut Checks, values: Vec<Named>) -> Vec<Named> {
    let values = checks.list("attributes", values, ATTRIBUTES_MAX);
    for (index, Named { name, value }) in values.iter().enumerate() {
        let twice = values[..index].iter().any(|earlier| earlier.name == *name);
        checks.within(&format!("attributes.{index}"));
        checks.expect(!twice, "name", "is in the list twice");
        checks.expect(is_name(name), "name", NAME_RULE);
        if let Value::Text(text) = value {
            checks.line("text", text, TEXT_LENGTH_MAX);
        }
    }
    checks.within("");
    values
}

pub(crate) async fn definitions(
    db: &impl ConnectionTrait,
    names: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, attribute::Model>, Failure> {
    let known = attribute::Entity::find().filter(attribute::Column::Name.is_in(names));
    let known = known.all(db).await?.into_iter();
    Ok(known.map(|definition| (definition.name.clone(), definition)).collect())
}

impl SetRefusal {
    /// Which value it is about; 0 when it is about none.
    pub(crate) fn index(&self) -> usize {
        match self {
            Self::UnknownAttribute { index }
            | Self::WrongKind { index, .. }
            | Self::NotAnOption { index } => *index,
            Self::Invalid(_) | Self::Closed(_) => 0,
        }
    }
}

/// The first value that its attribute does not allow.
pub(crate) fn unfit(known: &HashMap<String, attribute::Model>, values: &[Named]) -> Option<SetRefusal> {
    values.iter().enumerate().find_map(|(index, Named { name, value })| {
        let Some(definition) = known.get(name) else {
            return Some(SetRefusal::UnknownAttribute { index });
        };
        if definition.kind != value.kind() {
            return Some(SetRefusal::WrongKind { index, kind: definition.kind });
        }
        match value {
            Value::OneOf(text) if !options(definition).contains(text) => {
                Some(SetRefusal::NotAnOption { index })
            }
            _ => None,
        }
    })
}

pub(crate) fn rows(product_id: ProductId, values: Vec<Named>) -> Vec<product_attribute::ActiveModel> {
    let rows = values.into_iter().map(|Named { name, value }| {
        let kind = value.kind();
        let (text_value, number_micro, bool_value) = match value {
            Value::Text(text) | Value::OneOf(text) => (Some(text), None, None),
            Value::Number(number) => (None, Some(number.micro), None),
            Value::Boolean(answer) => (None, None, Some(answer)),
        };
        product_attribute::Model { product_id, name, kind, text_value, number_micro, bool_value }
    });
    rows.map(IntoActiveModel::into_active_model).collect()
}
