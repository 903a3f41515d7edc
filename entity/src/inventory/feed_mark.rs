//! The newest that a feed said of an offer: what is older changes nothing.

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed_id: contract::FeedId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: contract::OfferId,
    /// The sender's sequence, or microseconds since 1970.
    pub position: i64,
    pub quantity: i64,
}

impl ActiveModelBehavior for ActiveModel {}
