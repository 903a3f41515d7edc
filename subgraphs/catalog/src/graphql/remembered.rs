//! Rows of products that were read before: good as long as the product is at the revision at which they were read. Whoever
//! asks has just read that revision, so what shows is what is there.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use contract::ProductId;
use entity::catalog::{offer, product};
use moka::sync::Cache;

use super::loaders::{LowestOf, load, load_many};

/// Memory for products, in bytes.
const PRODUCTS_BYTES_MAX: u64 = 24 * 1024 * 1024;
/// Memory for offers, in bytes.
const OFFERS_BYTES_MAX: u64 = 12 * 1024 * 1024;
/// What an entry takes beside its row, in bytes, about.
const ENTRY_BYTES: usize = 200;

/// By what was read: the revision, and the row.
type Kept<K, V> = Cache<K, (i64, V)>;

/// What the schema remembers.
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

/// The products that last changed at these revisions.
pub(super) async fn products(
    ctx: &Context<'_>,
    revisions: &HashMap<ProductId, i64>,
) -> async_graphql::Result<HashMap<ProductId, Arc<product::Model>>> {
    let kept = &ctx.data_unchecked::<Remembered>().products;
    let known = revisions.iter().filter_map(|(id, at)| Some((*id, at_revision(kept, id, *at)?)));
    let mut known: HashMap<ProductId, Arc<product::Model>> = known.collect();
    if known.len() < revisions.len() {
        let missing: Vec<ProductId> =
            revisions.keys().filter(|id| !known.contains_key(id)).copied().collect();
        for (id, row) in load_many(ctx, missing).await? {
            let row = Arc::new(row);
            kept.insert(id, (revisions[&id], row.clone()));
            known.insert(id, row);
        }
    }
    Ok(known)
}

/// The lowest offer of a product that last changed at `revision`.
pub(super) async fn lowest(
    ctx: &Context<'_>,
    of: LowestOf<ProductId>,
    revision: i64,
) -> async_graphql::Result<Option<offer::Model>> {
    let kept = &ctx.data_unchecked::<Remembered>().lowest;
    if let Some(known) = at_revision(kept, &of, revision) {
        return Ok(known);
    }
    let lowest = load(ctx, of).await?;
    kept.insert(of, (revision, lowest.clone()));
    Ok(lowest)
}

fn at_revision<K, V>(kept: &Kept<K, V>, key: &K, revision: i64) -> Option<V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    kept.get(key).filter(|(at, _)| *at == revision).map(|(_, value)| value)
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
