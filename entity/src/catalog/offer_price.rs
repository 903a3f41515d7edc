//! Every price that an offer ever had.

use contract::{Money, OfferId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer_price")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub offer_id: OfferId,
    /// The version of the offer that brought this price.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub price_minor: i64,
    pub currency: String,
    pub since: DateTimeUtc,
}

impl Model {
    pub fn price(&self) -> Money {
        Money { amount_minor: self.price_minor, currency: super::offer::currency(&self.currency) }
    }
}

impl ActiveModelBehavior for ActiveModel {}
