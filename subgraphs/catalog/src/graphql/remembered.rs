//! Rows of products that were read before: good as long as the product is at the revision at which they were read. Whoever
//! asks has just read that revision, so what shows is what is there.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use contract::ProductId;
use entity::catalog::{offer, product};
use moka::sync::Cache;

use super::loaders::{AsOf, LowestOf};

/// Memory for products, in bytes.
const PRODUCTS_BYTES_MAX: u64 = 24 * 1024 * 1024;
/// Memory for offers, in bytes.
const OFFERS_BYTES_MAX: u64 = 12 * 1024 * 1024;
/// What an entry takes beside its row, in bytes, about.
const ENTRY_BYTES: usize = 200;

/// By what was read: the revision, and the row.
type Kept<K, V> = Cache<K, (i64, V)>;

/// Those that are known as of their revision, and the others.
type Split<K, V> = (HashMap<AsOf<K>, V>, Vec<AsOf<K>>);

pub(super) struct Remembered {
    products: Kept<ProductId, Arc<product::Model>>,
    lowest: Kept<LowestOf<ProductId>, Option<offer::Model>>,
}

impl Default for Remembered {
    fn default() -> Self {
        let product = |_: &ProductId, (_, row): &(i64, Arc<product::Model>)| product_bytes(row);
        let offer = |_: &LowestOf<ProductId>, _: &(i64, Option<offer::Model>)| bytes::<offer::Model>(0);
        Self {
            products: Cache::builder().max_capacity(PRODUCTS_BYTES_MAX).weigher(product).build(),
            lowest: Cache::builder().max_capacity(OFFERS_BYTES_MAX).weigher(offer).build(),
        }
    }
}

impl Remembered {
    pub(super) fn products(&self, keys: &[AsOf<ProductId>]) -> Split<ProductId, Arc<product::Model>> {
        known(&self.products, keys)
    }

    pub(super) fn keep_product(&self, key: AsOf<ProductId>, row: product::Model) -> Arc<product::Model> {
        let row = Arc::new(row);
        self.products.insert(key.of, (key.revision, row.clone()));
        row
    }

    pub(super) fn lowest(
        &self,
        keys: &[AsOf<LowestOf<ProductId>>],
    ) -> Split<LowestOf<ProductId>, Option<offer::Model>> {
        known(&self.lowest, keys)
    }

    pub(super) fn keep_lowest(&self, key: AsOf<LowestOf<ProductId>>, lowest: Option<offer::Model>) {
        self.lowest.insert(key.of, (key.revision, lowest));
    }
}

fn known<K, V>(kept: &Kept<K, V>, keys: &[AsOf<K>]) -> Split<K, V>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let (mut found, mut missing) = (HashMap::with_capacity(keys.len()), vec![]);
    for key in keys {
        match kept.get(&key.of).filter(|(revision, _)| *revision == key.revision) {
            Some((_, row)) => _ = found.insert(*key, row),
            None => missing.push(*key),
        }
    }
    (found, missing)
}

fn product_bytes(row: &product::Model) -> u32 {
    let texts = [&row.handle, &row.title, &row.title_key, &row.description].map(String::len);
    let maybe = [&row.brand, &row.brand_key, &row.model, &row.match_key]
        .map(|text| text.as_ref().map_or(0, String::len));
    bytes::<product::Model>(texts.iter().chain(&maybe).sum())
}

/// What a row with texts of so many bytes takes.
fn bytes<T>(texts: usize) -> u32 {
    u32::try_from(size_of::<T>() + ENTRY_BYTES + texts).unwrap_or(u32::MAX)
}
