//! A seller's price for a variant in a condition.

use contract::{CurrencyCode, Money, OfferId, ProductId, SellerId, VariantId};

use super::{Condition, Publication};
use crate::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OfferId,
    /// The variant's product.
    pub product_id: ProductId,
    pub variant_id: VariantId,
    pub seller_id: SellerId,
    pub condition: Condition,
    pub price_minor: i64,
    pub currency: String,
    pub publication: Publication,
    /// Pieces that can be sold, as inventory last said.
    pub available: i64,
    /// The sequence of what inventory last said; 0: nothing yet.
    pub stock_sequence: i64,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl Model {
    pub fn price(&self) -> Money {
        Money { amount_minor: self.price_minor, currency: currency(&self.currency) }
    }
}

/// The currency of a stored code.
pub(super) fn currency(code: &str) -> CurrencyCode {
    code.parse().expect("only codes of ISO 4217 are stored")
}

impl ActiveModelBehavior for ActiveModel {}
