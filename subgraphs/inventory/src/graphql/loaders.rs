//! What resolvers look up by key: one statement for all that a level of the query asks for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::graph::{self, Found};
use chassis::{Database, Failure};
use contract::{LocationId, OfferId, VariantId};
use entity::inventory::{location, location_level};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use crate::stock::read::{self, OwnedLevel, VariantStock};

/// Reads the database for loaders.
pub(super) struct Rows(Database);

/// The loaders of the schema.
pub(super) fn new(db: &Database) -> DataLoader<Rows> {
    graph::loader::<Rows, OfferId>(Rows(db.clone()))
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

impl Loader<OfferId> for Rows {
    type Value = OwnedLevel;
    type Error = Arc<Failure>;

    async fn load(&self, offers: &[OfferId]) -> Found<OfferId, OwnedLevel> {
        let levels = read::by_offers(self.0.read(), offers.iter().copied()).await?;
        Ok(levels.into_iter().map(|owned| (owned.level.offer_id, owned)).collect())
    }
}

impl Loader<VariantId> for Rows {
    type Value = VariantStock;
    type Error = Arc<Failure>;

    async fn load(&self, variants: &[VariantId]) -> Found<VariantId, VariantStock> {
        let stocks = read::of_variants(self.0.read(), variants.iter().copied()).await?;
        Ok(stocks.into_iter().map(|stock| (stock.variant_id, stock)).collect())
    }
}

impl Loader<LocationId> for Rows {
    type Value = location::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[LocationId]) -> Found<LocationId, location::Model> {
        let rows = location::Entity::find()
            .filter(location::Column::Id.is_in(ids.iter().copied()))
            .all(self.0.read())
            .await
            .map_err(Failure::from)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The shelves of an offer with pieces on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ShelvesOf(pub OfferId);

impl Loader<ShelvesOf> for Rows {
    /// Each location and the pieces there.
    type Value = Vec<(location::Model, i64)>;
    type Error = Arc<Failure>;

    async fn load(&self, offers: &[ShelvesOf]) -> Found<ShelvesOf, Self::Value> {
        let rows = location_level::Entity::find()
            .select_also(location::Entity)
            .join(JoinType::InnerJoin, to_location())
            .filter(location_level::Column::OfferId.is_in(offers.iter().map(|of| of.0)))
            .filter(location_level::Column::OnHand.gt(0))
            .order_by_asc(location_level::Column::LocationId)
            .all(self.0.read())
            .await
            .map_err(Failure::from)?;
        let mut shelves: HashMap<ShelvesOf, Self::Value> = HashMap::new();
        for (shelf, location) in rows {
            let there = location.map(|location| (location, shelf.on_hand));
            shelves.entry(ShelvesOf(shelf.offer_id)).or_default().extend(there);
        }
        Ok(shelves)
    }
}

fn to_location() -> RelationDef {
    location_level::Entity::belongs_to(location::Entity)
        .from(location_level::Column::LocationId)
        .to(location::Column::Id)
        .into()
}
