//! Reads the rows that documents are made of: few statements for many products.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chassis::{Database, Failure};
use contract::{CategoryId, ProductId};
use entity::catalog::{
    Publication, attribute, category, offer, product, product_attribute, product_category, variant,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::document::{Said, Source};
use crate::sql::Sql;

/// The products among `ids` that buyers see.
pub(super) async fn sources(db: &Database, ids: &[ProductId]) -> Result<Vec<Source>, Failure> {
    let read = db.read();
    let shown = product::Entity::find()
        .filter(product::Column::Id.is_in(ids.iter().copied()))
        .filter(product::Column::Publication.eq(Publication::Published));
    let products = shown.all(read).await?;
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let variants = variant::Entity::find()
        .filter(variant::Column::ProductId.is_in(ids.iter().copied()))
        .order_by_asc(variant::Column::Position);
    let variants = variants.all(read).await?;
    let mut variants = grouped(variants.into_iter().map(|row| (row.product_id, row)));
    let mut offers = grouped(offers(db, &ids).await?.into_iter().map(|row| (row.product_id, row)));
    let mut attributes = grouped(attributes(db, &ids).await?);
    let mut categories = grouped(categories(db, &ids).await?);
    let sources = products.into_iter().map(|product| Source {
        variants: variants.remove(&product.id).unwrap_or_default(),
        offers: offers.remove(&product.id).unwrap_or_default(),
        attributes: attributes.remove(&product.id).unwrap_or_default(),
        categories: categories.remove(&product.id).unwrap_or_default(),
        product,
    });
    Ok(sources.collect())
}

/// The ids of at most `limit` products after one, in order, whether buyers see them or not.
pub(super) async fn ids_after(
    db: &Database,
    after: Option<ProductId>,
    limit: u64,
) -> Result<Vec<ProductId>, Failure> {
    let mut ids = product::Entity::find().select_only().column(product::Column::Id);
    if let Some(after) = after {
        ids = ids.filter(product::Column::Id.gt(after));
    }
    Ok(ids.order_by_asc(product::Column::Id).limit(limit).into_tuple().all(db.read()).await?)
}

async fn offers(db: &Database, products: &[ProductId]) -> Result<Vec<offer::Model>, Failure> {
    let mut sql = Sql::new(
        "select o.* from offer o join seller s on s.id = o.seller_id \
         where o.publication = 'published' and s.status = 'verified' and o.product_id in ",
    );
    sql.bind_list(products.iter().copied()).push(" order by o.id");
    Ok(offer::Entity::find().from_raw_sql(sql.statement(db.read())).all(db.read()).await?)
}

async fn attributes(db: &Database, products: &[ProductId]) -> Result<Vec<(ProductId, Said)>, Failure> {
    let filterable: HashSet<String> = filterable(db).await?.into_iter().map(|known| known.name).collect();
    let values = product_attribute::Entity::find()
        .filter(product_attribute::Column::ProductId.is_in(products.iter().copied()))
        .all(db.read())
        .await?;
    let said = |value: product_attribute::Model| {
        (value.product_id, Said { filterable: filterable.contains(&value.name), value })
    };
    Ok(values.into_iter().map(said).collect())
}

/// The attributes that are counted.
pub(crate) async fn filterable(db: &Database) -> Result<Vec<attribute::Model>, Failure> {
    let filterable = attribute::Entity::find().filter(attribute::Column::Filterable.eq(true));
    Ok(filterable.order_by_asc(attribute::Column::Name).all(db.read()).await?)
}

/// The categories of products and all above them.
async fn categories(
    db: &Database,
    products: &[ProductId],
) -> Result<Vec<(ProductId, (CategoryId, String))>, Failure> {
    let links = product_category::Entity::find()
        .filter(product_category::Column::ProductId.is_in(products.iter().copied()))
        .all(db.read())
        .await?;
    let own: HashSet<CategoryId> = links.iter().map(|link| link.category_id).collect();
    let own = category::Entity::find().filter(category::Column::Id.is_in(own)).all(db.read()).await?;
    let above: HashSet<String> = own.iter().flat_map(|own| own.ancestors().map(str::to_owned)).collect();
    let above = category::Entity::find().filter(category::Column::Handle.is_in(above)).all(db.read()).await?;
    let by_handle: HashMap<&str, &category::Model> =
        above.iter().chain(&own).map(|category| (category.handle.as_str(), category)).collect();
    let by_id: HashMap<CategoryId, &category::Model> =
        own.iter().map(|category| (category.id, category)).collect();
    let lines = links.iter().filter_map(|link| Some((link.product_id, by_id.get(&link.category_id)?)));
    let all = lines.flat_map(|(product, own)| {
        let line = own.path.split('/').filter_map(|handle| by_handle.get(handle));
        line.map(move |category| (product, (category.id, category.name.clone())))
    });
    Ok(all.collect())
}

fn grouped<K: Hash + Eq, V>(rows: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    groups
}
