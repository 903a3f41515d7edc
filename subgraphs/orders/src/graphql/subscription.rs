//! Orders as they go.

use async_graphql::{Context, Result, SimpleObject, Subscription as Subscribe};
use chassis::Env;
use contract::{Long, OrderId};
use futures::{Stream, StreamExt};

use super::order::{Order, OrderEvent};
use crate::live::Feed;
use crate::order;

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
        let steps = futures::stream::iter(found.map(|_| steps)).flatten();
        Ok(steps.filter_map(move |entry| {
            let env = env.clone();
            async move {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(failure) => return Some(Err(failure.into())),
                };
                match order::find(env.db.read(), reader, id).await {
                    Ok(order) => Some(Ok(OrderUpdate {
                        sequence: Long(entry.sequence),
                        event: entry.into(),
                        order: Order::new(order?),
                    })),
                    Err(failure) => Some(Err(failure.into())),
                }
            }
        }))
    }
}
