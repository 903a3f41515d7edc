//! A seller's or supplier's system that reports how many pieces lie at a location.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "feed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: contract::FeedId,
    pub seller_id: contract::SellerId,
    /// Whose shelves the feed reports.
    pub location_id: contract::LocationId,
    /// One seller's names are all different.
    pub name: String,
    pub matches_by: MatchesBy,
    pub orders_by: OrdersBy,
    /// Off: everything it sends is refused.
    pub enabled: bool,
    /// Counts up by one with every change.
    pub version: i64,
    pub created_at: DateTimeUtc,
}

/// How a line names the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum MatchesBy {
    Sku,
    Gtin,
    OfferId,
}

/// What tells an old line from a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum OrdersBy {
    /// A number that the sender counts up.
    Sequence,
    /// When the pieces were counted.
    Time,
}

impl ActiveModelBehavior for ActiveModel {}
