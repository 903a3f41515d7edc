//! Values of attributes; the column that the attribute's kind names holds the value.

use contract::ProductId;

use super::attribute::Kind;
use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product_attribute")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: ProductId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub kind: Kind,
    /// Of a text or a one-of.
    pub text_value: Option<String>,
    /// Of a number, in millionths.
    pub number_micro: Option<i64>,
    pub bool_value: Option<bool>,
}

impl ActiveModelBehavior for ActiveModel {}
