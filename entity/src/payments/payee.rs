//! Whether a seller can be paid, as it was said last.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payee")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller_id: contract::SellerId,
    /// Who would pay.
    pub provider: String,
    pub ready: bool,
    /// Rises with every change.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
