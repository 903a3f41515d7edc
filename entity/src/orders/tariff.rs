//! How often a shop's rates and promotions have changed, or the platform's.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tariff")]
pub struct Model {
    /// The shop; all zeroes for the platform.
    #[sea_orm(primary_key, auto_increment = false)]
    pub whose: Uuid,
    /// Counts up by one with every change.
    pub revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
