//! Attributes: what may be said about products, what is said about one, and what a list is filtered by.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Failure, tx};
use entity::catalog::{attribute as row, product_attribute};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::answer::{invalid, one};
use super::shared::env;
use crate::attribute::{self, Named, Value};
use crate::input::{Checks, Problem};
use crate::number::Number;
use crate::shown::products::Test;

/// Texts of one filter.
const FILTER_TEXTS_MAX: usize = 100;
/// Attributes of one product: more than that are not even read.
const VALUES_MAX: usize = 100;

/// What values an attribute has. Never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::Kind")]
pub enum AttributeKind {
    /// Any text in one line.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// One of the attribute's options.
    OneOf,
}

/// An attribute that products may have.
#[derive(SimpleObject)]
pub struct AttributeDefinition {
    /// Its name: what inputs and filters refer to.
    pub name: String,
    /// How people call it.
    pub label: String,
    /// What values it has.
    pub kind: AttributeKind,
    /// The values of a ONE_OF; empty for other kinds.
    pub options: Vec<String>,
    /// Whether search counts its values as a facet and filters by them.
    pub filterable: bool,
}

impl From<row::Model> for AttributeDefinition {
    fn from(definition: row::Model) -> Self {
        let options = attribute::options(&definition);
        Self {
            name: definition.name,
            label: definition.label,
            kind: definition.kind.into(),
            options,
            filterable: definition.filterable,
        }
    }
}

/// Something that is said about a product. The field that its kind names has the value.
#[derive(SimpleObject)]
pub struct Attribute {
    /// The attribute's name.
    pub name: String,
    /// How people call the attribute.
    pub label: String,
    /// Which of the fields below has the value.
    pub kind: AttributeKind,
    /// Of a TEXT or a ONE_OF.
    pub text: Option<String>,
    /// Of a NUMBER.
    pub number: Option<Number>,
    /// Of a BOOLEAN.
    pub boolean: Option<bool>,
}

impl Attribute {
    pub(super) fn of(value: product_attribute::Model, definition: row::Model) -> Self {
        Self {
            name: value.name,
            label: definition.label,
            kind: value.kind.into(),
            text: value.text_value,
            number: value.number_micro.map(|micro| Number { micro }),
            boolean: value.bool_value,
        }
    }
}

/// Something to say about a product: a name and exactly one value.
#[derive(InputObject)]
pub struct AttributeInput {
    /// The name of a defined attribute.
    pub name: String,
    /// The value of a TEXT: one line of up to 255 characters.
    pub text: Option<String>,
    /// The value of a NUMBER.
    pub number: Option<Number>,
    /// The value of a BOOLEAN.
    pub boolean: Option<bool>,
    /// The value of a ONE_OF: one of its options.
    pub one_of: Option<String>,
}

impl AttributeInput {
    pub(super) fn read_all(inputs: Vec<Self>) -> Result<Vec<Named>, Vec<Problem>> {
        let mut checks = Checks::default();
        let inputs = checks.list("attributes", inputs, VALUES_MAX);
        let mut values = vec![];
        for (index, input) in inputs.into_iter().enumerate() {
            let named = |value| Named { name: input.name, value };
            match (input.text, input.number, input.boolean, input.one_of) {
                (Some(text), None, None, None) => values.push(named(Value::Text(text))),
                (None, Some(number), None, None) => values.push(named(Value::Number(number))),
                (None, None, Some(answer), None) => values.push(named(Value::Boolean(answer))),
                (None, None, None, Some(option)) => values.push(named(Value::OneOf(option))),
                _ => checks.within("attributes").wrong(&index.to_string(), "must have exactly one value"),
            }
        }
        checks.done().map(|()| values)
    }
}

/// What one attribute of a product must be. Give a text, texts, a range or a boolean.
#[derive(InputObject)]
pub struct AttributeFilter {
    /// The name of the attribute.
    pub name: String,
    /// Exactly this text or option.
    pub text: Option<String>,
    /// Any of these texts or options; at most 100.
    pub one_of: Option<Vec<String>>,
    /// This number or more.
    pub min: Option<Number>,
    /// This number or less.
    pub max: Option<Number>,
    /// Exactly this.
    pub boolean: Option<bool>,
}

impl AttributeFilter {
    pub(super) fn read(self) -> Result<(String, Test), Denied> {
        let bad = |message: &str| Err(Denied::bad_input("filter.attributes", message));
        let test = match (self.text, self.one_of, self.min.or(self.max), self.boolean) {
            (Some(text), None, None, None) => Test::AnyOf(vec![text]),
            (None, Some(texts), None, None) => Test::AnyOf(texts),
            (None, None, Some(_), None) => Test::Range(self.min, self.max),
            (None, None, None, Some(answer)) => Test::Is(answer),
            _ => return bad("give a text, texts, a range or a boolean"),
        };
        match &test {
            Test::AnyOf(texts) if !(1..=FILTER_TEXTS_MAX).contains(&texts.len()) => {
                bad("must have 1 to 100 texts")
            }
            Test::AnyOf(texts) if texts.iter().any(|text| text.contains('\0')) => bad("must not have a NUL"),
            _ if self.name.contains('\0') => bad("must not have a NUL"),
            _ => Ok((self.name, test)),
        }
    }
}

#[derive(Default)]
pub struct AttributeQueries;

#[Object]
impl AttributeQueries {
    /// The attributes that products may have, by name.
    async fn attribute_definitions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<String>, AttributeDefinition>> {
        let page = Page::<String>::read(first, after.as_deref())?;
        let mut rows = row::Entity::find().order_by_asc(row::Column::Name).limit(page.rows());
        if let Some(after) = &page.after {
            rows = rows.filter(row::Column::Name.gt(after.as_str()));
        }
        let rows = rows.all(env(ctx).db.read()).await.map_err(Failure::from)?;
        Ok(page.connection(rows, |definition| definition.name.clone(), AttributeDefinition::from))
    }
}

#[derive(InputObject)]
pub struct DefineAttributeInput {
    /// 1 to 64 characters: a-z, 0-9, _, beginning with a letter.
    pub name: String,
    /// How people call it.
    pub label: String,
    /// What values it has.
    pub kind: AttributeKind,
    /// The values of a ONE_OF, at most 100; empty for other kinds.
    pub options: Option<Vec<String>>,
    /// Whether search counts its values as a facet and filters by them. None: as it is; true for a new ONE_OF or BOOLEAN,
    /// false for others.
    pub filterable: Option<bool>,
}

answer! {
    /// What came of `defineAttribute`.
    DefineAttributePayload {
        /// The attribute as it is now.
        attribute: AttributeDefinition
    }
    /// Why an attribute was not defined.
    DefineAttributeError {}
    /// What is wrong with a `defineAttribute`.
    DefineAttributeErrorCode {
        /// A field is too long, empty, or has characters that it must not have.
        InvalidInput,
        /// It is defined with another kind.
        KindFixed,
        /// An option is missing that it has now: products may have it.
        OptionRemoved,
    }
}

impl From<attribute::DefineRefusal> for Vec<DefineAttributeError> {
    fn from(refusal: attribute::DefineRefusal) -> Self {
        use DefineAttributeErrorCode as Code;
        use attribute::DefineRefusal as Refusal;
        match refusal {
            Refusal::Invalid(problems) => invalid(Code::InvalidInput, problems),
            Refusal::KindFixed => one(Code::KindFixed, &["kind"], "it is defined with another kind"),
            Refusal::OptionRemoved => one(Code::OptionRemoved, &["options"], "options can only be added"),
        }
    }
}

#[derive(Default)]
pub struct AttributeMutations;

#[Object]
impl AttributeMutations {
    /// Defines an attribute, or gives a defined one another label and more options. For admins.
    async fn define_attribute(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to define.")] input: DefineAttributeInput,
    ) -> async_graphql::Result<DefineAttributePayload> {
        let viewer = Viewer::with_role(ctx, Role::Admin)?;
        let command = attribute::Define {
            name: input.name,
            label: input.label,
            kind: input.kind.into(),
            options: input.options.unwrap_or_default(),
            filterable: input.filterable,
        };
        let (db, now) = (&env(ctx).db, env(ctx).clock.now());
        let defined = tx::run(db, async |tx| attribute::define(tx, now, viewer, command).await);
        Ok(DefineAttributePayload::of(defined.await?))
    }
}
