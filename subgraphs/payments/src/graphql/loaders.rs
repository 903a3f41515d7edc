//! What resolvers look up by key: one statement for all that a level of the query asks for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use chassis::graph::{self, Found, failure};
use chassis::{Database, Failure};
use contract::{OrderId, PaymentId};
use entity::payments::{dispute, payment, refund};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

/// Reads the database for loaders.
pub(super) struct Rows(Database);

/// The loaders of the schema.
pub(super) fn new(db: &Database) -> DataLoader<Rows> {
    graph::loader::<Rows, OrderId>(Rows(db.clone()))
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

/// The payment of an order: the last, should there be more than one.
impl Loader<OrderId> for Rows {
    type Value = payment::Model;
    type Error = Arc<Failure>;

    async fn load(&self, orders: &[OrderId]) -> Found<OrderId, payment::Model> {
        let rows = payment::Entity::find()
            .filter(payment::Column::OrderId.is_in(orders.iter().copied()))
            .order_by_asc(payment::Column::Id)
            .all(self.0.read())
            .await
            .map_err(failure)?;
        Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
    }
}

/// The refunds of a payment, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RefundsOf(pub PaymentId);

impl Loader<RefundsOf> for Rows {
    type Value = Vec<refund::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, payments: &[RefundsOf]) -> Found<RefundsOf, Vec<refund::Model>> {
        let rows = refund::Entity::find()
            .filter(refund::Column::PaymentId.is_in(payments.iter().map(|of| of.0)))
            .order_by_asc(refund::Column::Id)
            .all(self.0.read())
            .await
            .map_err(failure)?;
        let mut found: HashMap<RefundsOf, Vec<refund::Model>> = HashMap::new();
        rows.into_iter().for_each(|row| found.entry(RefundsOf(row.payment_id)).or_default().push(row));
        Ok(found)
    }
}

/// The disputes of a payment, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DisputesOf(pub PaymentId);

impl Loader<DisputesOf> for Rows {
    type Value = Vec<dispute::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, payments: &[DisputesOf]) -> Found<DisputesOf, Vec<dispute::Model>> {
        let rows = dispute::Entity::find()
            .filter(dispute::Column::PaymentId.is_in(payments.iter().map(|of| of.0)))
            .order_by_asc(dispute::Column::Id)
            .all(self.0.read())
            .await
            .map_err(failure)?;
        let mut found: HashMap<DisputesOf, Vec<dispute::Model>> = HashMap::new();
        rows.into_iter().for_each(|row| found.entry(DisputesOf(row.payment_id)).or_default().push(row));
        Ok(found)
    }
}
