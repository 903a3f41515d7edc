//! Bulk loading: many products with all that belongs to them, one transaction for each batch. Loading the same again
//! changes nothing, so a load that was killed is simply started over.

pub mod file;
mod plan;
mod write;

use chassis::{Env, Failure, tx};
use contract::{Money, OfferId, SellerId, VariantId};
use entity::catalog::Condition;

use crate::attribute::Named;
use crate::image::NewImage;
use crate::input::Problem;

/// Products in one transaction.
const BATCH: usize = 500;

/// A product to load, which will be published.
#[derive(Clone, Debug)]
pub struct NewListing {
    /// Tells products apart: one with a handle that exists is left as it is.
    pub handle: String,
    pub title: String,
    pub brand: Option<String>,
    pub model: Option<String>,
    pub description: String,
    /// The names from a root category to the product's own; made when missing. Empty: no category.
    pub category: Vec<String>,
    /// Attributes that nobody defined are defined by their first value.
    pub attributes: Vec<Named>,
    pub images: Vec<NewImage>,
    /// At least one.
    pub variants: Vec<NewVariant>,
}

/// A variant to load.
#[derive(Clone, Debug, Default)]
pub struct NewVariant {
    pub size: Option<String>,
    pub edition: Option<String>,
    pub sku: Option<String>,
    pub gtin: Option<String>,
    pub offers: Vec<NewOffer>,
}

/// An offer to load, which will be published.
#[derive(Clone, Debug)]
pub struct NewOffer {
    pub seller: SellerId,
    pub condition: Condition,
    pub price: Money,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Products that are new.
    pub products: usize,
    /// The offers of all listings that were not refused, of those that existed before as well.
    pub offers: Vec<LoadedOffer>,
    /// Listings that cannot be loaded.
    pub refused: Vec<Refused>,
}

/// An offer that is in the catalog now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedOffer {
    pub offer: OfferId,
    pub variant: VariantId,
    pub seller: SellerId,
}

/// A listing that cannot be loaded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub handle: String,
    pub problems: Vec<Problem>,
}

/// Loads listings. Killed at any point, what is there is whole, and loading again adds the rest.
pub async fn load(env: &Env, listings: Vec<NewListing>) -> Result<Loaded, Failure> {
    let mut all = Loaded::default();
    for batch in listings.chunks(BATCH) {
        let now = env.clock.now();
        let loaded = tx::apply(&env.db, async |tx| Ok(write::batch(tx, now, batch).await?.0)).await?;
        all.products += loaded.products;
        all.offers.extend(loaded.offers);
        all.refused.extend(loaded.refused);
    }
    Ok(all)
}
