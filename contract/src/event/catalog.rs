//! What catalog says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{OfferId, ProductId, SellerId, VariantId};
use crate::money::Money;

/// Whether buyers see a product or an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Publication {
    Draft,
    Published,
    Archived,
}

/// The state of the goods in an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Condition {
    New,
    LikeNew,
    VeryGood,
    Good,
    Acceptable,
}

/// A product as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductChanged {
    pub product_id: ProductId,
    pub title: String,
    pub brand: Option<String>,
    pub publication: Publication,
}

/// A variant as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantChanged {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub sku: Option<String>,
    /// GTIN-13 digits.
    pub gtin: Option<String>,
}

/// An offer as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferChanged {
    pub offer_id: OfferId,
    pub product_id: ProductId,
    pub variant_id: VariantId,
    pub seller_id: SellerId,
    pub condition: Condition,
    pub price: Money,
    pub publication: Publication,
}

/// A product that is another one now. Its offers are said to have changed by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductMerged {
    pub product_id: ProductId,
    pub into: ProductId,
    /// Variants that are others now. Those that are not here moved to the other product as they are.
    pub variants: Vec<VariantMerged>,
}

/// A variant that is another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantMerged {
    pub variant_id: VariantId,
    pub into: VariantId,
}
