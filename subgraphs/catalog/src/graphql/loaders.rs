//! What resolvers look up by key: one statement for all that a level of the query asks for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::graph::{self, Found, failure};
use chassis::{Database, Failure};
use contract::{CategoryId, CurrencyCode, OfferId, ProductId, SellerId, UserId, VariantId};
use entity::catalog::{
    attribute, category, image, offer, offer_price, product, product_attribute, product_category, seller,
    variant,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::shown::offers::{self, ForVariant, Of, PricesOf};
use crate::shown::products::{self, InCategory};

/// Reads the database for loaders.
pub(super) struct Rows(Database);

/// The loaders of the schema.
pub(super) fn new(db: &Database) -> DataLoader<Rows> {
    graph::loader::<Rows, ProductId>(Rows(db.clone()))
}

/// What is there for `key`, read together with what others of the same level ask for.
pub(super) async fn load<K>(
    ctx: &Context<'_>,
    key: K,
) -> async_graphql::Result<Option<<Rows as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Rows: Loader<K, Error = Arc<Failure>>,
{
    graph::load::<Rows, K>(ctx, key).await
}

/// What is there for each of `keys`.
pub(super) async fn load_many<K>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> async_graphql::Result<HashMap<K, <Rows as Loader<K>>::Value>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Rows: Loader<K, Error = Arc<Failure>>,
{
    graph::load_many::<Rows, K>(ctx, keys).await
}

/// Puts rows of one owner together, in their order.
fn grouped<K: Hash + Eq, V>(rows: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}

macro_rules! by_id {
    ($($id:ty => $entity:ident;)+) => { $(
        impl Loader<$id> for Rows {
            type Value = $entity::Model;
            type Error = Arc<Failure>;

            async fn load(&self, ids: &[$id]) -> Found<$id, $entity::Model> {
                let rows = $entity::Entity::find().filter($entity::Column::Id.is_in(ids.iter().copied()));
                let rows = rows.all(self.0.read()).await.map_err(failure)?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    )+ };
}

by_id! {
    ProductId => product;
    VariantId => variant;
    OfferId => offer;
    SellerId => seller;
    CategoryId => category;
}

/// The shop of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ShopOf(pub(super) UserId);

impl Loader<ShopOf> for Rows {
    type Value = seller::Model;
    type Error = Arc<Failure>;

    async fn load(&self, users: &[ShopOf]) -> Found<ShopOf, seller::Model> {
        let shops = seller::Entity::find()
            .filter(seller::Column::UserId.is_in(users.iter().map(|user| user.0)))
            .order_by_asc(seller::Column::Id);
        let shops = shops.all(self.0.read()).await.map_err(failure)?;
        Ok(shops.into_iter().map(|shop| (ShopOf(shop.user_id), shop)).collect())
    }
}

/// The variants of a product.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VariantsOf(pub(super) ProductId);

impl Loader<VariantsOf> for Rows {
    type Value = Vec<variant::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, products: &[VariantsOf]) -> Found<VariantsOf, Vec<variant::Model>> {
        let rows = variant::Entity::find()
            .filter(variant::Column::ProductId.is_in(products.iter().map(|product| product.0)))
            .filter(variant::Column::MergedInto.is_null())
            .order_by_asc(variant::Column::ProductId)
            .order_by_asc(variant::Column::Position)
            .order_by_asc(variant::Column::Id);
        let rows = rows.all(self.0.read()).await.map_err(failure)?;
        Ok(grouped(rows.into_iter().map(|row| (VariantsOf(row.product_id), row))))
    }
}

/// The images of a product.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ImagesOf(pub(super) ProductId);

impl Loader<ImagesOf> for Rows {
    type Value = Vec<image::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, products: &[ImagesOf]) -> Found<ImagesOf, Vec<image::Model>> {
        let rows = image::Entity::find()
            .filter(image::Column::ProductId.is_in(products.iter().map(|product| product.0)))
            .order_by_asc(image::Column::ProductId)
            .order_by_asc(image::Column::Position);
        let rows = rows.all(self.0.read()).await.map_err(failure)?;
        Ok(grouped(rows.into_iter().map(|row| (ImagesOf(row.product_id), row))))
    }
}

/// What is said about a product.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AttributesOf(pub(super) ProductId);

impl Loader<AttributesOf> for Rows {
    type Value = Vec<product_attribute::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, products: &[AttributesOf]) -> Found<AttributesOf, Vec<product_attribute::Model>> {
        let rows = product_attribute::Entity::find()
            .filter(product_attribute::Column::ProductId.is_in(products.iter().map(|product| product.0)))
            .order_by_asc(product_attribute::Column::ProductId)
            .order_by_asc(product_attribute::Column::Name);
        let rows = rows.all(self.0.read()).await.map_err(failure)?;
        Ok(grouped(rows.into_iter().map(|row| (AttributesOf(row.product_id), row))))
    }
}

/// The attribute of a name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Named(pub(super) String);

impl Loader<Named> for Rows {
    type Value = attribute::Model;
    type Error = Arc<Failure>;

    async fn load(&self, names: &[Named]) -> Found<Named, attribute::Model> {
        let names = names.iter().map(|name| name.0.clone());
        let known = crate::attribute::definitions(self.0.read(), names).await.map_err(failure)?;
        Ok(known.into_iter().map(|(name, definition)| (Named(name), definition)).collect())
    }
}

/// The categories of a product.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CategoriesOf(pub(super) ProductId);

impl Loader<CategoriesOf> for Rows {
    type Value = Vec<category::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, products: &[CategoriesOf]) -> Found<CategoriesOf, Vec<category::Model>> {
        let products = products.iter().map(|product| product.0);
        let links = product_category::Entity::find()
            .filter(product_category::Column::ProductId.is_in(products))
            .all(self.0.read())
            .await
            .map_err(failure)?;
        let ids: Vec<CategoryId> = links.iter().map(|link| link.category_id).collect();
        let categories: HashMap<CategoryId, category::Model> = Loader::load(self, &ids).await?;
        let mut found = grouped(links.into_iter().filter_map(|link| {
            Some((CategoriesOf(link.product_id), categories.get(&link.category_id)?.clone()))
        }));
        found.values_mut().for_each(|group| group.sort_unstable_by(|a, b| a.path.cmp(&b.path)));
        Ok(found)
    }
}

/// The category of a handle.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Handle(pub(super) String);

impl Loader<Handle> for Rows {
    type Value = category::Model;
    type Error = Arc<Failure>;

    async fn load(&self, handles: &[Handle]) -> Found<Handle, category::Model> {
        let rows = category::Entity::find()
            .filter(category::Column::Handle.is_in(handles.iter().map(|handle| handle.0.as_str())));
        let rows = rows.all(self.0.read()).await.map_err(failure)?;
        Ok(rows.into_iter().map(|row| (Handle(row.handle.clone()), row)).collect())
    }
}

/// The categories directly below one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ChildrenOf(pub(super) CategoryId);

impl Loader<ChildrenOf> for Rows {
    type Value = Vec<category::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, parents: &[ChildrenOf]) -> Found<ChildrenOf, Vec<category::Model>> {
        let rows = category::Entity::find()
            .filter(category::Column::ParentId.is_in(parents.iter().map(|parent| parent.0)))
            .order_by_asc(category::Column::Handle);
        let rows = rows.all(self.0.read()).await.map_err(failure)?;
        Ok(grouped(rows.into_iter().filter_map(|row| Some((ChildrenOf(row.parent_id?), row)))))
    }
}

impl Loader<InCategory> for Rows {
    type Value = Vec<product::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, pages: &[InCategory]) -> Found<InCategory, Vec<product::Model>> {
        let mut found = HashMap::new();
        for pages in pages.chunks(products::PAGES_MAX) {
            let rows = products::in_categories(self.0.read(), pages).await.map_err(failure)?;
            found.extend(grouped(rows.into_iter().map(|(page, row)| (pages[page].clone(), row))));
        }
        Ok(found)
    }
}

/// At which revision a product last changed for those who search.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RevisionOf(pub(super) ProductId);

impl Loader<RevisionOf> for Rows {
    type Value = i64;
    type Error = Arc<Failure>;

    async fn load(&self, products: &[RevisionOf]) -> Found<RevisionOf, i64> {
        let products = products.iter().map(|product| product.0);
        let rows = crate::search::revisions(self.0.read(), products).await.map_err(failure)?;
        Ok(rows.into_iter().map(|(product, revision)| (RevisionOf(product), revision)).collect())
    }
}

/// The lowest offer of something, in one currency or in any.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LowestOf<Id>(pub(super) Id, pub(super) Option<CurrencyCode>);

impl Loader<LowestOf<ProductId>> for Rows {
    type Value = offer::Model;
    type Error = Arc<Failure>;

    async fn load(&self, keys: &[LowestOf<ProductId>]) -> Found<LowestOf<ProductId>, offer::Model> {
        let mut found = HashMap::new();
        for (currency, ids) in grouped(keys.iter().map(|key| (key.1, key.0))) {
            let rows = offers::lowest(self.0.read(), Of::Products(ids), currency).await.map_err(failure)?;
            found.extend(rows.into_iter().map(|row| (LowestOf(row.product_id, currency), row)));
        }
        Ok(found)
    }
}

impl Loader<LowestOf<VariantId>> for Rows {
    type Value = offer::Model;
    type Error = Arc<Failure>;

    async fn load(&self, keys: &[LowestOf<VariantId>]) -> Found<LowestOf<VariantId>, offer::Model> {
        let mut found = HashMap::new();
        for (currency, ids) in grouped(keys.iter().map(|key| (key.1, key.0))) {
            let rows = offers::lowest(self.0.read(), Of::Variants(ids), currency).await.map_err(failure)?;
            found.extend(rows.into_iter().map(|row| (LowestOf(row.variant_id, currency), row)));
        }
        Ok(found)
    }
}

impl Loader<ForVariant> for Rows {
    type Value = Vec<offer::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, pages: &[ForVariant]) -> Found<ForVariant, Vec<offer::Model>> {
        let mut found = HashMap::new();
        let alike = grouped(pages.iter().map(|page| ((page.first, page.after.clone()), page.variant)));
        for ((first, after), variants) in alike {
            let rows = offers::for_variants(self.0.read(), variants, first, after.as_ref())
                .await
                .map_err(failure)?;
            found.extend(grouped(
                rows.into_iter()
                    .map(|row| (ForVariant { variant: row.variant_id, first, after: after.clone() }, row)),
            ));
        }
        Ok(found)
    }
}

impl Loader<PricesOf> for Rows {
    type Value = Vec<offer_price::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, pages: &[PricesOf]) -> Found<PricesOf, Vec<offer_price::Model>> {
        let mut found = HashMap::new();
        for ((first, after), of) in grouped(pages.iter().map(|page| ((page.first, page.after), page.offer))) {
            let rows = offers::prices(self.0.read(), of, first, after).await.map_err(failure)?;
            found.extend(grouped(
                rows.into_iter().map(|row| (PricesOf { offer: row.offer_id, first, after }, row)),
            ));
        }
        Ok(found)
    }
}
