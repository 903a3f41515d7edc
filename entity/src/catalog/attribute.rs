//! Attributes that products may have: their names, kinds and options.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attribute")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub label: String,
    pub kind: Kind,
    /// The values of a [`Kind::OneOf`], a JSON array of texts; empty for the others.
    #[sea_orm(column_type = "Text")]
    pub options: String,
    /// Whether search counts its values and filters by them.
    pub filterable: bool,
}

/// What values an attribute has. Never changes once the attribute is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Boolean,
    OneOf,
}

impl ActiveModelBehavior for ActiveModel {}
