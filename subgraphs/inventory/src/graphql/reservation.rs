//! Reservations, as clients see them.

mod reserve;
mod settle;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::Line;
use contract::{Long, OfferId, OrderId, ReservationId};
use entity::inventory::reservation::State;

pub use self::reserve::StockLineInput;
use self::reserve::{ReserveStockInput, ReserveStockPayload};
use self::settle::{
    CommitReservationInput, CommitReservationPayload, ReleaseReservationInput, ReleaseReservationPayload,
};
use super::offer::Offer;
use crate::desk::Reservation as Promise;
use crate::limits::{LINES_MAX, MIRROR_WAIT};
use crate::offer::wait_until_known;
use crate::reservation::{self, Reserve};

/// Where a reservation stands. `ACTIVE` becomes `COMMITTED`, `RELEASED` or `EXPIRED`, once; the others are final.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum ReservationState {
    /// The stock is held until `expiresAt`.
    Active,
    /// The stock was sold.
    Committed,
    /// The stock was given back.
    Released,
    /// Nobody came in time, and the stock was given back.
    Expired,
    /// There was not enough stock; nothing was ever held.
    Rejected,
}

/// A promise of stock.
#[derive(SimpleObject)]
pub struct Reservation {
    /// The reservation's id.
    id: ReservationId,
    /// Where it stands.
    state: ReservationState,
    /// The order it is for.
    order_id: Option<OrderId>,
    /// What is promised, one line for each offer.
    lines: Vec<ReservationLine>,
    /// When the promise ends if nobody commits it.
    expires_at: DateTime<Utc>,
    /// Why the stock was given back.
    reason: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// The pieces of one offer in a reservation.
#[derive(SimpleObject)]
pub struct ReservationLine {
    /// The offer.
    offer: Offer,
    /// How many pieces.
    quantity: Long,
}

impl From<Promise> for Reservation {
    fn from(promise: Promise) -> Self {
        let line = |line: &crate::desk::ReservedLine| ReservationLine {
            offer: Offer { id: line.offer_id },
            quantity: Long(line.quantity),
        };
        Self {
            id: promise.id,
            state: promise.state.into(),
            order_id: promise.order_id,
            lines: promise.lines.iter().map(line).collect(),
            expires_at: promise.expires_at,
            reason: promise.reason,
            created_at: promise.created_at,
        }
    }
}

#[derive(Default)]
pub struct ReservationQueries;

#[Object]
impl ReservationQueries {
    /// A reservation that the viewer's shop made; for admins, any. Null when there is no such one.
    async fn reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] id: ReservationId,
    ) -> Result<Option<Reservation>> {
        let keeper = super::keeper(ctx)?;
        let db = ctx.data_unchecked::<Env>().db.read();
        Ok(reservation::find(db, keeper, id).await?.map(Reservation::from))
    }
}

#[derive(Default)]
pub struct ReservationMutations;

#[Object]
impl ReservationMutations {
    /// Holds stock of your offers, all lines or none, until the time is up.
    async fn reserve_stock(
        &self,
        ctx: &Context<'_>,
        input: ReserveStockInput,
    ) -> Result<ReserveStockPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let command = Reserve {
            keeper,
            order_id: input.order_id,
            lines: input.lines.into_iter().map(Line::from).collect(),
            ttl_seconds: input.ttl_seconds.into(),
        };
        let body = (&command.lines, command.ttl_seconds, command.order_id);
        let request = Request::new("reserveStock", keeper.actor(), &input.idempotency_key, &body)?;
        if command.lines.len() <= LINES_MAX {
            let offers: Vec<OfferId> = command.lines.iter().map(|line| line.offer_id).collect();
            wait_until_known(&env.db, &offers, MIRROR_WAIT).await?;
        }
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || reservation::reserve(tx, now, command)).await
        });
        Ok(done.await?.into())
    }

    /// Says that reserved stock was sold: it leaves the shelves, the fullest first.
    async fn commit_reservation(
        &self,
        ctx: &Context<'_>,
        input: CommitReservationInput,
    ) -> Result<CommitReservationPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let request = Request::new("commitReservation", keeper.actor(), &input.idempotency_key, &input.id)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || reservation::commit(tx, now, keeper, input.id)).await
        });
        Ok(done.await?.into())
    }

    /// Gives reserved stock back.
    async fn release_reservation(
        &self,
        ctx: &Context<'_>,
        input: ReleaseReservationInput,
    ) -> Result<ReleaseReservationPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let body = (input.id, &input.reason);
        let request = Request::new("releaseReservation", keeper.actor(), &input.idempotency_key, &body)?;
        let reason = input.reason.unwrap_or_else(|| "released".into());
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || reservation::release(tx, now, keeper, input.id, reason)).await
        });
        Ok(done.await?.into())
    }
}
