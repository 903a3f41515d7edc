//! Markets: one variant in one condition and one currency.

use contract::{CurrencyCode, MarketId, Money, VariantId};

use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "market")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MarketId,
    pub variant_id: VariantId,
    pub condition: Condition,
    /// ISO 4217.
    pub currency: String,
    /// Who decides about it, for ever.
    pub partition: i32,
    /// Every price is a multiple of it.
    pub tick_minor: i64,
    pub price_min_minor: i64,
    pub price_max_minor: i64,
    /// Rises with the rules.
    pub version: i64,
    /// The version that the engine has; 0: it has not heard of the market.
    pub applied_version: i64,
    pub opened_at: DateTimeUtc,
    /// What the goods cost in the shop; null: nobody said.
    pub retail_minor: Option<i64>,
}

/// Catalog's words for the state of the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Condition {
    New,
    LikeNew,
    VeryGood,
    Good,
    Acceptable,
}

impl Model {
    pub fn currency(&self) -> CurrencyCode {
        self.currency.parse().expect("a market has a currency that exists")
    }

    pub fn money(&self, amount_minor: i64) -> Money {
        Money { amount_minor, currency: self.currency() }
    }
}

impl ActiveModelBehavior for ActiveModel {}
