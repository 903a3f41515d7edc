//! What resolvers look up by key: one statement for all that a level of the query asks for.

use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::graph::{self, Found, failure};
use chassis::{Database, Failure};
use contract::{CurrencyCode, MarketId, VariantId};
use entity::bidding::{market, ticker};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, Statement};

/// Reads the database for loaders.
pub(super) struct Rows(Database);

/// The loaders of the schema.
pub(super) fn new(db: &Database) -> DataLoader<Rows> {
    graph::loader::<Rows, MarketId>(Rows(db.clone()))
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

impl Loader<MarketId> for Rows {
    type Value = market::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[MarketId]) -> Found<MarketId, market::Model> {
        let wanted = market::Entity::find().filter(market::Column::Id.is_in(ids.iter().copied()));
        let rows = wanted.all(self.0.read()).await.map_err(failure)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The market of a variant in a condition and a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MarketOf {
    pub variant: VariantId,
    pub condition: market::Condition,
    pub currency: CurrencyCode,
}

impl Loader<MarketOf> for Rows {
    type Value = market::Model;
    type Error = Arc<Failure>;

    async fn load(&self, keys: &[MarketOf]) -> Found<MarketOf, market::Model> {
        let variants = keys.iter().map(|key| key.variant);
        let wanted = market::Entity::find().filter(market::Column::VariantId.is_in(variants));
        let rows = wanted.all(self.0.read()).await.map_err(failure)?;
        let key = |row: &market::Model| MarketOf {
            variant: row.variant_id,
            condition: row.condition,
            currency: row.currency(),
        };
        Ok(rows.into_iter().map(|row| (key(&row), row)).collect())
    }
}

/// The ticker of a market at the watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TickerOf(pub MarketId);

impl Loader<TickerOf> for Rows {
    type Value = ticker::Model;
    type Error = Arc<Failure>;

    async fn load(&self, markets: &[TickerOf]) -> Found<TickerOf, ticker::Model> {
        let ids = markets.iter().map(|of| of.0);
        let wanted = ticker::Entity::find().filter(ticker::Column::MarketId.is_in(ids));
        let rows = wanted.all(self.0.read()).await.map_err(failure)?;
        Ok(rows.into_iter().map(|row| (TickerOf(row.market_id), row)).collect())
    }
}

/// How many orders are matched before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AheadOf {
    pub partition: i32,
    pub number: i64,
}

#[derive(FromQueryResult)]
struct Ahead {
    partition: i32,
    number: i64,
    ahead: i64,
}

impl Loader<AheadOf> for Rows {
    type Value = i64;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[AheadOf]) -> Found<AheadOf, i64> {
        let wanted: Vec<String> = orders
            .iter()
            .map(|of| format!("(o.partition = {} and o.number = {})", of.partition, of.number))
            .collect();
        let sql = format!(
            "select o.partition, o.number, (
                select count(*) from bidding_order a
                where a.market = o.market and a.side = o.side and a.status = 'open'
                and (a.price_minor = o.price_minor and a.sequence < o.sequence
                     or o.side = 'bid' and a.price_minor > o.price_minor
                     or o.side = 'ask' and a.price_minor < o.price_minor)
            ) as ahead from bidding_order o where o.status = 'open' and ({})",
            wanted.join(" or ")
        );
        let statement = Statement::from_string(self.0.read().get_database_backend(), sql);
        let rows = Ahead::find_by_statement(statement).all(self.0.read()).await.map_err(failure)?;
        let key = |row: &Ahead| AheadOf { partition: row.partition, number: row.number };
        Ok(rows.into_iter().map(|row| (key(&row), row.ahead)).collect())
    }
}
