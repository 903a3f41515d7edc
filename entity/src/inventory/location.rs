//! Places where sellers keep stock.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "location")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::LocationId,
    pub seller_id: contract::SellerId,
    /// One seller's names are all different.
    pub name: String,
    /// A closed location takes nothing more in; what is there can still be sold.
    pub open: bool,
    /// Counts up by one with every change.
    pub version: i64,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
