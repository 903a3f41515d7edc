//! What orders knows of inventory's levels, as it last heard. Only for showing: inventory decides.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    pub available: i64,
    /// Of the level that this row was written from.
    pub sequence: i64,
}

impl ActiveModelBehavior for ActiveModel {}
