//! What resolvers look up by key: one statement for all that a level of the query asks for.

mod trade;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::graph::{self, Found};
use chassis::{Database, Failure};
use contract::{OfferId, OrderId};
use entity::orders::{fulfilment, order_event, order_line, order_return, order_share, refund};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::facts::Facts;
use crate::goods::{self, Goods};
use crate::sale;

pub(super) use trade::{TaskOf, TradeLogOf, TradeParcelsOf};

/// Reads the database for loaders.
pub(super) struct Rows(Database);

/// The loaders of the schema.
pub(super) fn new(db: &Database) -> DataLoader<Rows> {
    graph::loader::<Rows, LinesOf>(Rows(db.clone()))
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

/// The lines of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LinesOf(pub OrderId);

impl Loader<LinesOf> for Rows {
    type Value = Vec<order_line::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[LinesOf]) -> Found<LinesOf, Self::Value> {
        let rows = order_line::Entity::find()
            .filter(order_line::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(order_line::Column::Number)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| LinesOf(row.order_id)))
    }
}

/// The sellers' parts of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SharesOf(pub OrderId);

impl Loader<SharesOf> for Rows {
    type Value = Vec<order_share::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[SharesOf]) -> Found<SharesOf, Self::Value> {
        let rows = order_share::Entity::find()
            .filter(order_share::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(order_share::Column::SellerId)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| SharesOf(row.order_id)))
    }
}

/// The log of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LogOf(pub OrderId);

impl Loader<LogOf> for Rows {
    type Value = Vec<order_event::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[LogOf]) -> Found<LogOf, Self::Value> {
        let rows = order_event::Entity::find()
            .filter(order_event::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(order_event::Column::Sequence)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| LogOf(row.order_id)))
    }
}

/// The parcels of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ParcelsOf(pub OrderId);

impl Loader<ParcelsOf> for Rows {
    type Value = Vec<fulfilment::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[ParcelsOf]) -> Found<ParcelsOf, Self::Value> {
        let rows = fulfilment::Entity::find()
            .filter(fulfilment::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(fulfilment::Column::Id)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| ParcelsOf(row.order_id)))
    }
}

/// The refunds of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RefundsOf(pub OrderId);

impl Loader<RefundsOf> for Rows {
    type Value = Vec<refund::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[RefundsOf]) -> Found<RefundsOf, Self::Value> {
        let rows = refund::Entity::find()
            .filter(refund::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(refund::Column::Id)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| RefundsOf(row.order_id)))
    }
}

/// The returns of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReturnsOf(pub OrderId);

impl Loader<ReturnsOf> for Rows {
    type Value = Vec<order_return::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[ReturnsOf]) -> Found<ReturnsOf, Self::Value> {
        let rows = order_return::Entity::find()
            .filter(order_return::Column::OrderId.is_in(orders.iter().map(|of| of.0)))
            .order_by_asc(order_return::Column::Id)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| ReturnsOf(row.order_id)))
    }
}

/// What counts about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FactsOf(pub OrderId);

impl Loader<FactsOf> for Rows {
    type Value = Facts;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[FactsOf]) -> Found<FactsOf, Facts> {
        let ids: Vec<OrderId> = orders.iter().map(|of| of.0).collect();
        let facts = sale::facts(self.0.read(), &ids).await?;
        Ok(facts.into_iter().map(|(id, facts)| (FactsOf(id), facts)).collect())
    }
}

impl Loader<OfferId> for Rows {
    type Value = Goods;
    type Error = Arc<Failure>;

    async fn load(&self, offers: &[OfferId]) -> Found<OfferId, Goods> {
        Ok(goods::find(self.0.read(), offers.iter().copied()).await?)
    }
}

fn grouped<K: Eq + Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}
