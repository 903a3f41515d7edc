//! Receive, take back, adjust and count: the mutations of those who keep stock.

mod adjust;
mod count;
mod put_away;
mod receive;
mod take_back;

use async_graphql::{Context, Object, Result};
use chassis::idempotency::{Request, once};
use chassis::{Env, tx};
use contract::{LocationId, OfferId};

use self::adjust::{AdjustStockInput, AdjustStockPayload};
use self::count::{CountStockInput, CountStockPayload};
use self::receive::{ReceiveStockInput, ReceiveStockPayload};
use self::take_back::{ReturnStockInput, ReturnStockPayload};
use crate::limits::MIRROR_WAIT;
use crate::offer::wait_until_known;
use crate::shelf::{self, Shelf};

#[derive(Default)]
pub struct ShelfMutations;

#[Object]
impl ShelfMutations {
    /// Puts new pieces on a shelf.
    async fn receive_stock(
        &self,
        ctx: &Context<'_>,
        input: ReceiveStockInput,
    ) -> Result<ReceiveStockPayload> {
        let (env, shelf) = stand_at(ctx, input.offer_id, input.location_id)?;
        let body = (input.offer_id, input.location_id, input.quantity.0, &input.reason);
        let request = Request::new("receiveStock", shelf.keeper.actor(), &input.idempotency_key, &body)?;
        wait_until_known(&env.db, &[input.offer_id], MIRROR_WAIT).await?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || shelf::receive(tx, now, shelf, input.quantity.0, input.reason);
            once(tx, now, request, work).await
        });
        Ok(done.await?.into())
    }

    /// Puts sold pieces that came back on a shelf again.
    async fn return_stock(&self, ctx: &Context<'_>, input: ReturnStockInput) -> Result<ReturnStockPayload> {
        let (env, shelf) = stand_at(ctx, input.offer_id, input.location_id)?;
        let body = (input.offer_id, input.location_id, input.quantity.0, input.order_id, &input.reason);
        let request = Request::new("returnStock", shelf.keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || shelf::take_back(tx, now, shelf, input.quantity.0, input.order_id, input.reason);
            once(tx, now, request, work).await
        });
        Ok(done.await?.into())
    }

    /// Corrects the pieces on a shelf, up or down. Reserved pieces stay.
    async fn adjust_stock(&self, ctx: &Context<'_>, input: AdjustStockInput) -> Result<AdjustStockPayload> {
        let (env, shelf) = stand_at(ctx, input.offer_id, input.location_id)?;
        let body = (input.offer_id, input.location_id, input.delta.0, &input.reason);
        let request = Request::new("adjustStock", shelf.keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || shelf::adjust(tx, now, shelf, input.delta.0, input.reason);
            once(tx, now, request, work).await
        });
        Ok(done.await?.into())
    }

    /// Sets the pieces on a shelf to what somebody counted there. A count that confirms the shelf leaves no trace.
    async fn count_stock(&self, ctx: &Context<'_>, input: CountStockInput) -> Result<CountStockPayload> {
        let (env, shelf) = stand_at(ctx, input.offer_id, input.location_id)?;
        let expected = input.expected_version.map(|version| version.0);
        let body = (input.offer_id, input.location_id, input.counted.0, expected, &input.reason);
        let request = Request::new("countStock", shelf.keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || shelf::count(tx, now, shelf, input.counted.0, expected, input.reason);
            once(tx, now, request, work).await
        });
        Ok(done.await?.into())
    }
}

fn stand_at<'c>(ctx: &Context<'c>, offer_id: OfferId, location_id: LocationId) -> Result<(&'c Env, Shelf)> {
    let shelf = Shelf { keeper: super::keeper(ctx)?, offer_id, location_id };
    Ok((ctx.data_unchecked::<Env>(), shelf))
}
