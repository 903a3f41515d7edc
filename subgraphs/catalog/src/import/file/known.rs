//! What the catalog has of the rows of a file.

use std::collections::{HashMap, HashSet};

use chassis::{Failure, Tx};
use contract::{ProductId, SellerId, VariantId};
use entity::catalog::{Condition, offer, product, variant};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::row::Row;

/// Products and variants that rows are about.
pub(super) struct Known {
    by_number: HashMap<String, variant::Model>,
    by_handle: HashMap<String, product::Model>,
    of_product: HashMap<ProductId, Vec<variant::Model>>,
}

/// What a row is about.
pub(super) enum About<'k> {
    Variant(&'k variant::Model),
    /// The product is there, the size or edition is not.
    Product(&'k product::Model),
    Nothing,
}

impl Known {
    pub(super) async fn find(db: &impl ConnectionTrait, rows: &[Row]) -> Result<Self, Failure> {
        let numbers = rows.iter().filter_map(|row| row.number.clone());
        let variants = variant::Entity::find().filter(variant::Column::Gtin.is_in(numbers)).all(db).await?;
        let handles = rows.iter().map(|row| row.listing.handle.as_str());
        let products = product::Entity::find().filter(product::Column::Handle.is_in(handles)).all(db).await?;
        let survivors: HashSet<ProductId> =
            products.iter().filter_map(|product| product.merged_into).collect();
        let survivors = product::Entity::find().filter(product::Column::Id.is_in(survivors)).all(db).await?;
        let survivors: HashMap<ProductId, product::Model> =
            survivors.into_iter().map(|product| (product.id, product)).collect();
        let by_handle: HashMap<String, product::Model> = products
            .into_iter()
            .map(|product| {
                let survivor = product.merged_into.and_then(|id| survivors.get(&id));
                (product.handle.clone(), survivor.cloned().unwrap_or(product))
            })
            .collect();
        let ids = by_handle.values().map(|product| product.id);
        let of_products = variant::Entity::find()
            .filter(variant::Column::ProductId.is_in(ids))
            .filter(variant::Column::MergedInto.is_null());
        let mut of_product: HashMap<ProductId, Vec<variant::Model>> = HashMap::new();
        for variant in of_products.all(db).await? {
            of_product.entry(variant.product_id).or_default().push(variant);
        }
        Ok(Self { by_number: surviving(db, variants).await?, by_handle, of_product })
    }

    pub(super) fn about(&self, row: &Row) -> About<'_> {
        if let Some(variant) = row.number.as_ref().and_then(|number| self.by_number.get(number)) {
            return About::Variant(variant);
        }
        let Some(product) = self.by_handle.get(&row.listing.handle) else {
            return About::Nothing;
        };
        let wanted = &row.listing.variants[0];
        let plain = |text: &Option<String>| text.as_deref().map(str::to_lowercase);
        let same = self.of_product.get(&product.id).into_iter().flatten().find(|variant| {
            row.number.is_none()
                && plain(&variant.size) == plain(&wanted.size)
                && plain(&variant.edition) == plain(&wanted.edition)
        });
        same.map_or(About::Product(product), About::Variant)
    }
}

/// By their numbers, the variants or what they were merged into.
async fn surviving(
    db: &impl ConnectionTrait,
    found: Vec<variant::Model>,
) -> Result<HashMap<String, variant::Model>, Failure> {
    let into = found.iter().filter_map(|variant| variant.merged_into);
    let survivors = variant::Entity::find().filter(variant::Column::Id.is_in(into)).all(db).await?;
    let survivors: HashMap<VariantId, variant::Model> =
        survivors.into_iter().map(|variant| (variant.id, variant)).collect();
    let named = found.into_iter().filter_map(|variant| {
        let number = variant.gtin.clone()?;
        let survivor = variant.merged_into.and_then(|id| survivors.get(&id));
        Some((number, survivor.cloned().unwrap_or(variant)))
    });
    Ok(named.collect())
}

/// The offers of `seller` for these variants, locked in the order of their ids.
pub(super) async fn offers(
    tx: &Tx,
    seller: SellerId,
    variants: impl Iterator<Item = VariantId>,
) -> Result<HashMap<(VariantId, Condition), offer::Model>, Failure> {
    let there = offer::Entity::find()
        .filter(offer::Column::SellerId.eq(seller))
        .filter(offer::Column::VariantId.is_in(variants))
        .order_by_asc(offer::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(there.into_iter().map(|offer| ((offer.variant_id, offer.condition), offer)).collect())
}
