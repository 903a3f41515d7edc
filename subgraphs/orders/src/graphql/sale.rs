//! Paid orders as their sellers see them, and parcels.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::idempotency::{Request, once};
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{FulfilmentId, Long, Money, OrderId, RefundId, SellerId};
use entity::orders::{fulfilment, refund};

use super::loaders::{FactsOf, ParcelsOf, RefundsOf, SharesOf, load};
use super::order::{Order, OrderContact, OrderLine};
use super::stubs::Seller;
use super::user_error::user_error;
use crate::facts::{Pieces, Progress};
use crate::order;
use crate::parcel::{self, Ship, ShipRefusal, Witness};
use crate::payback::{self, RefundRefusal};

/// How far a seller's part of a paid order is. It follows from the seller's word, parcels and cancellations:
/// `UNSHIPPED` → `CONFIRMED` (may be left out) → `PARTLY_SHIPPED` → `SHIPPED` → `DELIVERED`; `CANCELLED` while nothing is sent.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Progress")]
pub enum ShareProgress {
    /// Nothing was sent.
    Unshipped,
    /// Nothing was sent; the seller says that it will be.
    Confirmed,
    /// Some pieces were sent, some are to be sent.
    PartlyShipped,
    /// Everything was sent; not all has arrived.
    Shipped,
    /// Everything that was sent has arrived: the seller has earned it.
    Delivered,
    /// Everything was cancelled before it was sent.
    Cancelled,
}

/// A parcel of one seller to the buyer.
#[derive(SimpleObject)]
pub struct Fulfilment {
    /// The parcel's id.
    id: FulfilmentId,
    /// Who sent it.
    seller: Seller,
    /// What is in it.
    pieces: Vec<LinePieces>,
    /// Who carries it.
    carrier: String,
    /// The carrier's number.
    tracking: Option<String>,
    /// When it was sent.
    shipped_at: DateTime<Utc>,
    /// When it arrived, or counted as arrived because nobody said otherwise for 14 days. Null: on its way.
    delivered_at: Option<DateTime<Utc>>,
}

impl TryFrom<fulfilment::Model> for Fulfilment {
    type Error = Failure;

    fn try_from(row: fulfilment::Model) -> Result<Self, Failure> {
        Ok(Self {
            id: row.id,
            seller: Seller { id: row.seller_id },
            pieces: pieces(&row.lines)?,
            carrier: row.carrier,
            tracking: row.tracking,
            shipped_at: row.shipped_at,
            delivered_at: row.delivered_at,
        })
    }
}

/// So many pieces of one line of an order.
#[derive(SimpleObject)]
pub struct LinePieces {
    /// The line's number.
    line: i32,
    /// How many pieces.
    quantity: Long,
}

pub(super) fn pieces(text: &str) -> Result<Vec<LinePieces>, Failure> {
    let pieces: Vec<Pieces> = serde_json::from_str(text)?;
    let shown = |pieces: Pieces| LinePieces { line: pieces.line, quantity: Long(pieces.quantity) };
    Ok(pieces.into_iter().map(shown).collect())
}

/// So many pieces of one line of an order.
#[derive(InputObject)]
pub struct LinePiecesInput {
    /// The line's number.
    line: i32,
    /// How many pieces, at least 1.
    quantity: Long,
}

impl From<LinePiecesInput> for Pieces {
    fn from(input: LinePiecesInput) -> Self {
        Self { line: input.line, quantity: input.quantity.0 }
    }
}

/// Where money that goes back is. `ASKED` becomes `DONE` or `FAILED`.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "refund::State")]
pub enum OrderRefundState {
    /// The provider was asked.
    Asked,
    /// The buyer has it.
    Done,
    /// It could not go back; the pieces can be paid back again.
    Failed,
}

/// Money of one seller's part that goes back to the buyer.
#[derive(SimpleObject)]
pub struct OrderRefund {
    /// The refund's id.
    id: RefundId,
    /// Whose part it is taken from.
    seller: Seller,
    /// For which pieces.
    pieces: Vec<LinePieces>,
    /// How much, shipping and tax included.
    amount: Money,
    /// Where it is.
    state: OrderRefundState,
    /// Why.
    reason: String,
    /// When it was asked for.
    asked_at: DateTime<Utc>,
    /// When it was done or failed.
    settled_at: Option<DateTime<Utc>>,
}

impl OrderRefund {
    pub(super) fn new(row: refund::Model, zero: Money) -> Result<Self, Failure> {
        Ok(Self {
            id: row.id,
            seller: Seller { id: row.seller_id },
            pieces: pieces(&row.lines)?,
            amount: Money { amount_minor: row.amount_minor, ..zero },
            state: row.state.into(),
            reason: row.reason,
            asked_at: row.asked_at,
            settled_at: row.settled_at,
        })
    }
}

/// One seller's part of a paid order, as the seller sees it.
pub struct Sale {
    order: order::Order,
    seller: SellerId,
}

impl Sale {
    pub(super) fn new(order: order::Order, seller: SellerId) -> Self {
        Self { order, seller }
    }
}

#[Object]
impl Sale {
    /// The order's id.
    async fn order_id(&self) -> OrderId {
        self.order.row.id
    }

    /// The shop.
    async fn seller(&self) -> Seller {
        Seller { id: self.seller }
    }

    /// When the order was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.order.row.placed_at
    }

    /// How far it is.
    async fn progress(&self, ctx: &Context<'_>) -> Result<ShareProgress> {
        let facts = load(ctx, FactsOf(self.order.row.id)).await?.unwrap_or_default();
        Ok(facts.progress(self.seller).into())
    }

    /// When the shop said that it will send its part. Null: it has not.
    async fn confirmed_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let shares = load(ctx, SharesOf(self.order.row.id)).await?.unwrap_or_default();
        Ok(shares
            .into_iter()
            .find(|share| share.seller_id == self.seller)
            .and_then(|share| share.confirmed_at))
    }

    /// What of the order is this shop's to send.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<OrderLine>> {
        Order::new(self.order.clone()).lines_of(ctx, self.seller).await
    }

    /// Where the parcel goes.
    async fn contact(&self, ctx: &Context<'_>) -> Result<OrderContact> {
        Order::new(self.order.clone()).opened(ctx)
    }

    /// Parcels that the shop has sent.
    async fn fulfilments(&self, ctx: &Context<'_>) -> Result<Vec<Fulfilment>> {
        let parcels = load(ctx, ParcelsOf(self.order.row.id)).await?.unwrap_or_default();
        let own = parcels.into_iter().filter(|parcel| parcel.seller_id == self.seller);
        Ok(own.map(Fulfilment::try_from).collect::<Result<_, _>>()?)
    }

    /// Money of this shop's part that went back, or is on its way.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<OrderRefund>> {
        let refunds = load(ctx, RefundsOf(self.order.row.id)).await?.unwrap_or_default();
        let zero = crate::drive::total(&self.order.row)?;
        let own = refunds.into_iter().filter(|refund| refund.seller_id == self.seller);
        Ok(own.map(|refund| OrderRefund::new(refund, zero)).collect::<Result<_, _>>()?)
    }
}

/// A parcel to send.
#[derive(InputObject)]
pub struct ShipOrderInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The order.
    order_id: OrderId,
    /// What is in the parcel: lines of one shop of yours, each once.
    pieces: Vec<LinePiecesInput>,
    /// Who carries it: 1 to 100 characters.
    carrier: String,
    /// The carrier's number: 1 to 200 characters.
    tracking: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ShipOrderPayload {
    /// The parcel's id; null when something is wrong.
    fulfilment_id: Option<FulfilmentId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ShipOrderError>,
}

user_error! {
    /// Why a parcel was not sent.
    ShipOrderError (ShipOrderErrorCode) {
        /// There is no such paid order with goods of yours.
        NotFound,
        /// The lines are not yours, named twice, or without pieces.
        LinesInvalid,
        /// Fewer pieces of a line are left to send: `left`.
        TooMany,
        /// The carrier is missing or too long.
        CarrierInvalid,
        /// The number is empty or too long.
        TrackingInvalid,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// The line that the error is about.
        line: i32,
        /// Pieces of it that are left to send.
        left: Long,
    }
}

/// Which parcel arrived.
#[derive(InputObject)]
pub struct ConfirmDeliveryInput {
    /// The parcel.
    fulfilment_id: FulfilmentId,
    /// The order, when its buyer says so.
    order_id: Option<OrderId>,
    /// The token of a guest's order.
    order_token: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ConfirmDeliveryPayload {
    /// The parcel afterwards; null when something is wrong.
    fulfilment: Option<Fulfilment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ConfirmDeliveryError>,
}

user_error! {
    /// Why a delivery was not confirmed.
    ConfirmDeliveryError (ConfirmDeliveryErrorCode) {
        /// There is no such parcel of yours.
        NotFound,
    }
}

/// Pieces to pay back.
#[derive(InputObject)]
pub struct RefundOrderInput {
    /// A key of your choice; the same key with the same input is answered once more and done once.
    idempotency_key: String,
    /// The order.
    order_id: OrderId,
    /// Pieces that were sent: lines of one shop of yours, each once.
    pieces: Vec<LinePiecesInput>,
    /// Why: 1 to 200 characters. The buyer sees it.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RefundOrderPayload {
    /// The refund's id; null when something is wrong.
    refund_id: Option<RefundId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<RefundOrderError>,
}

user_error! {
    /// Why nothing was paid back.
    RefundOrderError (RefundOrderErrorCode) {
        /// There is no such paid order with goods of yours.
        NotFound,
        /// The lines are not yours, named twice, or without pieces.
        LinesInvalid,
        /// Fewer pieces of a line were sent and not paid back: `left`.
        TooMany,
        /// The reason is missing or too long.
        ReasonInvalid,
        /// The key was used with another request.
        IdempotencyConflict,
    }
    facts {
        /// The line that the error is about.
        line: i32,
        /// Pieces of it that can be paid back.
        left: Long,
    }
}

#[derive(Default)]
pub struct SaleQueries;

#[Object]
impl SaleQueries {
    /// Paid orders with goods of a shop of yours, newest first.
    async fn sales(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shop; a seller with one shop may leave it out.")] seller_id: Option<SellerId>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<OrderId>, Sale>> {
        let keeper = super::keeper(ctx)?;
        let page = Page::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let orders = match keeper.shop(db, seller_id).await? {
            Some(seller) => {
                let orders = order::sold_by(db, seller, page.after, page.rows()).await?;
                orders.into_iter().map(|order| Sale { order, seller }).collect()
            }
            None => vec![],
        };
        Ok(page.connection(orders, |sale| sale.order.row.id, |sale| sale))
    }
}

#[derive(Default)]
pub struct SaleMutations;

#[Object]
impl SaleMutations {
    /// Sends a parcel: all of a shop's part of an order, or some of it.
    async fn ship_order(&self, ctx: &Context<'_>, input: ShipOrderInput) -> Result<ShipOrderPayload> {
        use ShipOrderErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let command = Ship {
            order_id: input.order_id,
            pieces: input.pieces.into_iter().map(Pieces::from).collect(),
            carrier: input.carrier,
            tracking: input.tracking,
        };
        let request = Request::new("shipOrder", keeper.actor(), &input.idempotency_key, &command)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            once(tx, now, request, || parcel::ship(tx, now, keeper, command)).await
        });
        let refusal = match done.await? {
            Ok(id) => return Ok(ShipOrderPayload { fulfilment_id: Some(id), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let at = |code, field| ShipOrderError::new(code, &["input", field], refusal);
        let error = match refusal {
            ShipRefusal::NotFound => at(Code::NotFound, "orderId"),
            ShipRefusal::LinesInvalid => at(Code::LinesInvalid, "pieces"),
            ShipRefusal::TooMany { line, left } => {
                ShipOrderError { line: Some(line), left: Some(Long(left)), ..at(Code::TooMany, "pieces") }
            }
            ShipRefusal::CarrierInvalid => at(Code::CarrierInvalid, "carrier"),
            ShipRefusal::TrackingInvalid => at(Code::TrackingInvalid, "tracking"),
            ShipRefusal::IdempotencyConflict => at(Code::IdempotencyConflict, "idempotencyKey"),
        };
        Ok(ShipOrderPayload { fulfilment_id: None, user_errors: vec![error] })
    }

    /// Says that a parcel arrived: by its seller, or by the buyer with `orderId`. When all of a seller's part has arrived,
    /// the seller has earned it. Saying it twice is saying it once.
    async fn confirm_delivery(
        &self,
        ctx: &Context<'_>,
        input: ConfirmDeliveryInput,
    ) -> Result<ConfirmDeliveryPayload> {
        let witness = match input.order_id {
            Some(id) => Witness::Buyer(super::reader(ctx, id, input.order_token.as_deref())?),
            None => Witness::Keeper(super::keeper(ctx)?),
        };
        let env = ctx.data_unchecked::<Env>();
        let (now, id) = (env.clock.now(), input.fulfilment_id);
        let done = tx::apply(&env.db, async |tx| {
            // A buyer's word counts for the order that it was checked for.
            match input.order_id {
                Some(order) if !parcel::is_of(tx, id, order).await? => Ok(None),
                _ => parcel::deliver(tx, now, witness, id).await,
            }
        });
        let fulfilment = done.await?.map(Fulfilment::try_from).transpose()?;
        let user_errors = match fulfilment {
            Some(_) => vec![],
            None => vec![ConfirmDeliveryError::new(
                ConfirmDeliveryErrorCode::NotFound,
                &["input", "fulfilmentId"],
                "there is no such parcel",
            )],
        };
        Ok(ConfirmDeliveryPayload { fulfilment, user_errors })
    }

    /// Pays pieces back that were sent, in whole or in part, without wanting them back. Never more than was paid.
    async fn refund_order(&self, ctx: &Context<'_>, input: RefundOrderInput) -> Result<RefundOrderPayload> {
        use RefundOrderErrorCode as Code;
        let keeper = super::keeper(ctx)?;
        let env = ctx.data_unchecked::<Env>();
        let pieces: Vec<Pieces> = input.pieces.into_iter().map(Pieces::from).collect();
        let body = (input.order_id, &pieces, &input.reason);
        let request = Request::new("refundOrder", keeper.actor(), &input.idempotency_key, &body)?;
        let now = env.clock.now();
        let done = tx::run(&env.db, async |tx| {
            let work = || payback::refund_sent(tx, now, keeper, input.order_id, pieces, &input.reason);
            once(tx, now, request, work).await
        });
        let refusal = match done.await? {
            Ok(id) => return Ok(RefundOrderPayload { refund_id: Some(id), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let at = |code, field| RefundOrderError::new(code, &["input", field], refusal);
        let error = match refusal {
            RefundRefusal::NotFound => at(Code::NotFound, "orderId"),
            RefundRefusal::LinesInvalid => at(Code::LinesInvalid, "pieces"),
            RefundRefusal::TooMany { line, left } => {
                RefundOrderError { line: Some(line), left: Some(Long(left)), ..at(Code::TooMany, "pieces") }
            }
            RefundRefusal::ReasonInvalid => at(Code::ReasonInvalid, "reason"),
            RefundRefusal::IdempotencyConflict => at(Code::IdempotencyConflict, "idempotencyKey"),
        };
        Ok(RefundOrderPayload { refund_id: None, user_errors: vec![error] })
    }
}
