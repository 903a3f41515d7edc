//! What belongs to trades.

use std::sync::Arc;

use async_graphql::dataloader::Loader;
use chassis::Failure;
use chassis::graph::{self, Found};
use contract::TradeId;
use entity::orders::{authentication_task, trade, trade_event, trade_parcel};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Rows, grouped};

impl Loader<TradeId> for Rows {
    type Value = trade::Model;
    type Error = Arc<Failure>;

    async fn load(&self, ids: &[TradeId]) -> Found<TradeId, trade::Model> {
        let trades = trade::Entity::find().filter(trade::Column::Id.is_in(ids.iter().copied()));
        let rows = trades.all(self.0.read()).await.map_err(graph::failure)?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The log of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct TradeLogOf(pub TradeId);

impl Loader<TradeLogOf> for Rows {
    type Value = Vec<trade_event::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, trades: &[TradeLogOf]) -> Found<TradeLogOf, Self::Value> {
        let rows = trade_event::Entity::find()
            .filter(trade_event::Column::TradeId.is_in(trades.iter().map(|of| of.0)))
            .order_by_asc(trade_event::Column::Sequence)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| TradeLogOf(row.trade_id)))
    }
}

/// The parcels of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct TradeParcelsOf(pub TradeId);

impl Loader<TradeParcelsOf> for Rows {
    type Value = Vec<trade_parcel::Model>;
    type Error = Arc<Failure>;

    async fn load(&self, trades: &[TradeParcelsOf]) -> Found<TradeParcelsOf, Self::Value> {
        let rows = trade_parcel::Entity::find()
            .filter(trade_parcel::Column::TradeId.is_in(trades.iter().map(|of| of.0)))
            .order_by_asc(trade_parcel::Column::SentAt)
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(grouped(rows, |row| TradeParcelsOf(row.trade_id)))
    }
}

/// The task of the authentication centre for a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct TaskOf(pub TradeId);

impl Loader<TaskOf> for Rows {
    type Value = authentication_task::Model;
    type Error = Arc<Failure>;

    async fn load(&self, trades: &[TaskOf]) -> Found<TaskOf, Self::Value> {
        let rows = authentication_task::Entity::find()
            .filter(authentication_task::Column::TradeId.is_in(trades.iter().map(|of| of.0)))
            .all(self.0.read())
            .await
            .map_err(graph::failure)?;
        Ok(rows.into_iter().map(|row| (TaskOf(row.trade_id), row)).collect())
    }
}
