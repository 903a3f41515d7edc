//! The rows of a listing, checked as if a seller had typed it in.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use contract::ProductId;
use entity::catalog::{Publication, image, offer, offer_price, product, product_attribute, variant};
use sea_orm::IntoActiveModel;

use super::{NewListing, NewVariant, Refused};
use crate::attribute::Named;
use crate::input::Checks;
use crate::{
    attribute, category, image as images, offer as offers, product as products, variant as variants,
};

/// Known attributes by their names.
pub(super) type Definitions = HashMap<String, entity::catalog::attribute::Model>;

/// Rows to write, for many listings.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) products: Vec<product::Model>,
    pub(super) variants: Vec<variant::Model>,
    pub(super) images: Vec<image::ActiveModel>,
    pub(super) attributes: Vec<product_attribute::ActiveModel>,
    pub(super) offers: Vec<offer::Model>,
    pub(super) prices: Vec<offer_price::ActiveModel>,
}

impl Rows {
    /// Adds the rows of a listing, or says what is wrong with it. `gtins` are those that are taken, `defined` the
    /// attributes that are known.
    pub(super) fn add(
        &mut self,
        now: DateTime<Utc>,
        listing: &NewListing,
        gtins: &mut HashSet<String>,
        defined: &Definitions,
    ) -> Result<ProductId, Refused> {
        let mut checks = Checks::default();
        let mut product = products::draft(&mut checks, now, &command(listing));
        product.publication = Publication::Published;
        check_names(&mut checks, listing, defined);
        let few = (1..=variants::VARIANTS_MAX as usize).contains(&listing.variants.len());
        checks.expect(few, "variants", format!("must have 1 to {} items", variants::VARIANTS_MAX));
        let mut new = Self::default();
        for (position, variant) in (0..).zip(&listing.variants) {
            new.add_variant(&mut checks, now, &product, position, variant, gtins);
        }
        let images = images::checked(&mut checks, listing.images.clone());
        let attributes = attribute::checked(&mut checks, listing.attributes.clone());
        checks.done().map_err(|problems| Refused { handle: listing.handle.clone(), problems })?;
        gtins.extend(new.variants.iter().filter_map(|variant| variant.gtin.clone()));
        self.images.extend(images::rows(product.id, images, Default::default()));
        self.attributes.extend(attribute::rows(product.id, attributes));
        self.variants.extend(new.variants);
        self.offers.extend(new.offers);
        self.prices.extend(new.prices);
        let id = product.id;
        self.products.push(product);
        Ok(id)
    }

    fn add_variant(
        &mut self,
        checks: &mut Checks,
        now: DateTime<Utc>,
        product: &product::Model,
        position: i32,
        new: &NewVariant,
        gtins: &HashSet<String>,
    ) {
        checks.within(&format!("variants.{position}"));
        let variant = variants::checked(
            checks,
            &variants::Add {
                product: product.id,
                size: new.size.clone(),
                edition: new.edition.clone(),
                sku: new.sku.clone(),
                gtin: new.gtin.clone(),
                position: Some(position),
            },
        );
        let same = |taken: &variant::Model| taken.gtin == variant.gtin;
        if let Some(gtin) = &variant.gtin {
            let free = !gtins.contains(gtin) && !self.variants.iter().any(same);
            checks.expect(free, "gtin", "belongs to another variant");
        }
        let sku_free = variant.sku.is_none() || self.variants.iter().all(|other| other.sku != variant.sku);
        checks.expect(sku_free, "sku", "is in the product twice");
        for (index, new) in new.offers.iter().enumerate() {
            checks.within(&format!("variants.{position}.offers.{index}"));
            let mut offer = offers::draft(now, &variant, new.seller, new.condition, new.price);
            offer.publication = Publication::Published;
            let twice = self.offers.iter().any(|other| is_same(other, &offer));
            checks.expect(!twice, "condition", "is offered by this seller twice");
            offers::check_price(checks, new.price);
            self.prices.push(offers::priced(&offer).into_active_model());
            self.offers.push(offer);
        }
        checks.within("");
        self.variants.push(variant);
    }
}

/// Whether a seller may not have both offers.
fn is_same(a: &offer::Model, b: &offer::Model) -> bool {
    (a.variant_id, a.seller_id, a.condition) == (b.variant_id, b.seller_id, b.condition)
}

fn command(listing: &NewListing) -> products::Create {
    products::Create {
        title: listing.title.clone(),
        brand: listing.brand.clone(),
        model: listing.model.clone(),
        description: listing.description.clone(),
        handle: Some(listing.handle.clone()),
    }
}

/// Names of attributes and categories, and the kinds of the attributes that are `defined`.
fn check_names(checks: &mut Checks, listing: &NewListing, defined: &Definitions) {
    for (index, Named { name, value }) in listing.attributes.iter().enumerate() {
        checks.within(&format!("attributes.{index}"));
        let kind = defined.get(name).map_or(value.kind(), |definition| definition.kind);
        checks.expect(kind == value.kind(), "name", "is an attribute of another kind");
    }
    checks.within("");
    let depth = listing.category.len() <= category::DEPTH_MAX;
    checks.expect(depth, "category", format!("must have at most {} levels", category::DEPTH_MAX));
    for name in &listing.category {
        checks.line("category", name, category::NAME_LENGTH_MAX);
    }
}
