//! Shipments in, as clients see them.

mod close;
mod plan;

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::event::inventory::Line;
use contract::{Long, OfferId, ShipmentId};
use entity::inventory::inbound_shipment::{Column, State};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use self::close::{CancelShipmentInput, CancelShipmentPayload, ReceiveShipmentInput, ReceiveShipmentPayload};
use self::plan::{PlanShipmentInput, PlanShipmentPayload};
use super::loaders::load;
use super::location::Location;
use super::offer::{Offer, Seller};
use super::stock::readable;
use crate::limits::{LINES_MAX, MIRROR_WAIT};
use crate::offer::wait_until_known;
use crate::shipment::{self, Plan, Receive, Shipment};

/// Where a shipment stands. `EXPECTED` becomes `RECEIVED` or `CANCELLED`, once.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum InboundShipmentState {
    /// On its way.
    Expected,
    /// Its pieces are on the shelf.
    Received,
    /// It does not come.
    Cancelled,
}

/// Stock on its way to a location.
pub struct InboundShipment(Shipment);

/// Stock on its way to a location.
#[Object]
impl InboundShipment {
    /// The shipment's id.
    async fn id(&self) -> ShipmentId {
        self.0.id
    }

    /// Whose it is.
    async fn seller(&self) -> Seller {
        Seller { id: self.0.seller_id }
    }

    /// Where it goes.
    async fn location(&self, ctx: &Context<'_>) -> Result<Option<Location>> {
        Ok(load(ctx, self.0.location_id).await?.map(Location::from))
    }

    /// Where it stands.
    async fn state(&self) -> InboundShipmentState {
        self.0.state.into()
    }

    /// The carrier's or supplier's number.
    async fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// When it should arrive.
    async fn expected_at(&self) -> Option<DateTime<Utc>> {
        self.0.expected_at
    }

    /// When it was announced.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was received or cancelled.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }

    /// What is in it, one line for each offer.
    async fn lines(&self) -> Vec<InboundShipmentLine> {
        let line = |line: &shipment::ShippedLine| InboundShipmentLine {
            offer: Offer { id: line.offer_id },
            expected: Long(line.expected),
            received: line.received.map(Long),
        };
        self.0.lines.iter().map(line).collect()
    }
}

/// The pieces of one offer in a shipment.
#[derive(SimpleObject)]
pub struct InboundShipmentLine {
    /// The offer.
    offer: Offer,
    /// Pieces announced.
    expected: Long,
    /// Pieces that came; null until the shipment is received.
    received: Option<Long>,
}

#[derive(Default)]
pub struct ShipmentQueries;

#[Object]
impl ShipmentQueries {
    /// Stock on its way to the viewer's shop, or for admins to any, newest first.
    async fn inbound_shipments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand so.")] state: Option<InboundShipmentState>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<ShipmentId>, InboundShipment>> {
        let keeper = super::keeper(ctx)?;
        let page = Page::<ShipmentId>::read(first, after.as_deref())?;
        let mut shipments = shipment::kept_by(keeper).order_by_desc(Column::Id).limit(page.rows());
        if let Some(state) = state {
            shipments = shipments.filter(Column::State.eq(State::from(state)));
        }
        if let Some(after) = page.after {
            shipments = shipments.filter(Column::Id.lt(after));
        }
        let db = ctx.data_unchecked::<Env>().db.read();
        let rows = shipments.all(db).await.map_err(Failure::from)?;
        let shipments = shipment::with_lines(db, rows).await?;
        Ok(page.connection(shipments, |shipment| shipment.id, InboundShipment))
    }
}

#[derive(Default)]
pub struct ShipmentMutations;

#[Object]
impl ShipmentMutations {
    /// Announces stock that is on its way.
    async fn plan_shipment(
        &self,
        ctx: &Context<'_>,
        input: PlanShipmentInput,
    ) -> Result<PlanShipmentPayload> {
        let env = ctx.data_unchecked::<Env>();
        let command = Plan {
            keeper: super::keeper(ctx)?,
            location_id: input.location_id,
            reference: input.reference,
            expected_at: input.expected_at.map(|at| readable("expectedAt", at)).transpose()?,
            lines: input.lines.into_iter().map(Line::from).collect(),
        };
        let body = (command.location_id, &command.reference, command.expected_at, &command.lines);
        let request = Request::new("planShipment", command.keeper.actor(), &input.idempotency_key, &body)?;
        if command.lines.len() <= LINES_MAX {
            let offers: Vec<OfferId> = command.lines.iter().map(|line| line.offer_id).collect();
            wait_until_known(&env.db, &offers, MIRROR_WAIT).await?;
        }
        let now = env.clock.now();
        let done =
            tx::run(&env.db, async |tx| once(tx, now, request, || shipment::plan(tx, now, command)).await);
        Ok(done.await?.into())
    }

    /// Puts the pieces of a shipment on the shelf.
    async fn receive_shipment(
        &self,
        ctx: &Context<'_>,
        input: ReceiveShipmentInput,
    ) -> Result<ReceiveShipmentPayload> {
        let env = ctx.data_unchecked::<Env>();
        let command = Receive {
            keeper: super::keeper(ctx)?,
            id: input.id,
            counted: input.counted.unwrap_or_default().into_iter().map(Line::from).collect(),
        };
        let body = (command.id, &command.counted);
        let request = Request::new("receiveShipment", command.keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done =
            tx::run(&env.db, async |tx| once(tx, now, request, || shipment::receive(tx, now, command)).await);
        Ok(done.await?.into())
    }

    /// Says that a shipment does not come.
    async fn cancel_shipment(
        &self,
        ctx: &Context<'_>,
        input: CancelShipmentInput,
    ) -> Result<CancelShipmentPayload> {
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| shipment::cancel(tx, now, keeper, input.id).await);
        Ok(done.await?.into())
    }
}
