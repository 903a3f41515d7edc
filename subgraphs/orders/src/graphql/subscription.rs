//! Orders and trades as they go.

use async_graphql::{Context, Result, SimpleObject, Subscription as Subscribe};
use chassis::auth::Viewer;
use chassis::{Env, Failure};
use contract::{Long, OrderId, TradeId};
use entity::orders::{order_event, trade_event};
use futures::{Stream, StreamExt, stream};

use super::order::{Order, OrderEvent};
use super::trade::{self, Trade, TradeEvent};
use crate::live::Feed;
use crate::order::{self, Reader};
use crate::trade as trades;

/// A step of an order, and the order as it was read after it.
#[derive(SimpleObject)]
pub struct OrderUpdate {
    /// The step.
    event: OrderEvent,
    /// The order; it may be further than the step.
    order: Order,
    /// The step's sequence: counts up by one, none is left out.
    sequence: Long,
}

/// A step of a trade, and the trade as it was read after it.
#[derive(SimpleObject)]
pub struct TradeUpdate {
    /// The step.
    event: TradeEvent,
    /// The trade; it may be further than the step.
    trade: Trade,
    /// The step's sequence: counts up by one, none is left out.
    sequence: Long,
}

pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// Every step of an order: those that happened already, then each as it happens. After a broken connection, name the
    /// last sequence that you saw.
    async fn order_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: OrderId,
        #[graphql(desc = "The token of a guest's order.")] order_token: Option<String>,
        #[graphql(desc = "Begin after this sequence; 0 without it.")] after: Option<Long>,
    ) -> Result<impl Stream<Item = Result<OrderUpdate>> + use<>> {
        let reader = super::reader(ctx, id, order_token.as_deref())?;
        let env = ctx.data_unchecked::<Env>().clone();
        let found = order::find(env.db.read(), reader, id).await?;
        let steps = ctx.data_unchecked::<Feed>().follow(id, after.map_or(0, |after| after.0));
        let steps = stream::iter(found.map(|_| steps)).flatten();
        Ok(steps.filter_map(move |step| {
            let env = env.clone();
            async move { order_update(&env, reader, id, step).await.transpose() }
        }))
    }

    /// Every step of a trade, for its buyer, its seller and staff: those that happened already, then each as it happens,
    /// within a second. After a broken connection, name the last sequence that you saw. Ends at once when `trade` would be
    /// null.
    async fn trade_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The trade.")] id: TradeId,
        #[graphql(desc = "Begin after this sequence; 0 without it.")] after: Option<Long>,
    ) -> Result<impl Stream<Item = Result<TradeUpdate>> + use<>> {
        let viewer = Viewer::required(ctx)?.clone();
        let env = ctx.data_unchecked::<Env>().clone();
        let found = trades::find(env.db.read(), trade::reader(&viewer), id).await?;
        let steps = ctx.data_unchecked::<Feed>().follow_trade(id, after.map_or(0, |after| after.0));
        let steps = stream::iter(found.map(|_| steps)).flatten();
        Ok(steps.filter_map(move |step| {
            let (env, viewer) = (env.clone(), viewer.clone());
            async move { trade_update(&env, &viewer, id, step).await.transpose() }
        }))
    }
}

async fn order_update(
    env: &Env,
    reader: Reader,
    id: OrderId,
    step: Result<order_event::Model, Failure>,
) -> Result<Option<OrderUpdate>> {
    let step = step?;
    let sequence = Long(step.sequence);
    let found = order::find(env.db.read(), reader, id).await?;
    Ok(found.map(|order| OrderUpdate { event: step.into(), order: Order::new(order), sequence }))
}

async fn trade_update(
    env: &Env,
    viewer: &Viewer,
    id: TradeId,
    step: Result<trade_event::Model, Failure>,
) -> Result<Option<TradeUpdate>> {
    let step = step?;
    let sequence = Long(step.sequence);
    let found = trades::find(env.db.read(), trade::reader(viewer), id).await?;
    Ok(found.map(|row| TradeUpdate { event: step.into(), trade: Trade::for_viewer(row, viewer), sequence }))
}
