//! Orders, as their buyers see them.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::Viewer;
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure, tx};
use chrono::{DateTime, Utc};
use contract::{Long, Money, OrderId, SellerId};
use entity::orders::{order_event, order_line, order_share};

use super::loaders::{FactsOf, LinesOf, LogOf, ParcelsOf, RefundsOf, ReturnsOf, SharesOf, load};
use super::order_return::OrderReturn;
use super::sale::{Fulfilment, OrderRefund, ShareProgress};
use super::stubs::{Offer, Seller, Variant};
use super::user_error::user_error;
use crate::contact::Contact;
use crate::drive::total;
use crate::failure::{Action, Why};
use crate::operator::{self, CancelRefusal};
use crate::order::{self, Status};
use crate::secrets::Secrets;

/// How far an order is. It follows from what happened: `PLACED` → `PAYING` (or `NEEDS_ACTION`, then `PAYING`) → `PAID`; before
/// it is paid, everything may lead over `CANCELLING` to `CANCELLED`. `PAID` and `CANCELLED` are ends.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Status")]
pub enum OrderStatus {
    /// Its stock is being reserved.
    Placed,
    /// The buyer must confirm the payment with their bank: `action` says how. Kept for 15 minutes.
    NeedsAction,
    /// Its stock is reserved, and its money is being taken.
    Paying,
    /// The money was taken and the stock is the buyer's.
    Paid,
    /// It is being undone: stock and money are on their way back.
    Cancelling,
    /// It came to nothing: nothing is reserved, nothing is held.
    Cancelled,
    /// Whether the money was taken is being looked into. It is either paid or given back.
    OnHold,
}

/// A purchase: goods of one or more sellers, paid at once.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Order {
    #[graphql(skip)]
    order: order::Order,
    /// The order's id.
    id: OrderId,
}

impl Order {
    pub(super) fn new(order: order::Order) -> Self {
        Self { id: order.row.id, order }
    }

    fn money(&self, amount_minor: i64) -> Result<Money> {
        Ok(Money { amount_minor, ..total(&self.order.row)? })
    }
}

#[ComplexObject]
impl Order {
    /// How far it is.
    async fn status(&self) -> OrderStatus {
        self.order.status().into()
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.order.row.placed_at
    }

    /// What the buyer pays.
    async fn total(&self) -> Result<Money> {
        Ok(total(&self.order.row)?)
    }

    /// What was bought.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<OrderLine>> {
        let lines = load(ctx, LinesOf(self.id)).await?.unwrap_or_default();
        lines.into_iter().map(|line| self.line(line)).collect()
    }

    /// Each seller's part of it.
    async fn shares(&self, ctx: &Context<'_>) -> Result<Vec<OrderShare>> {
        let shares = load(ctx, SharesOf(self.id)).await?.unwrap_or_default();
        shares.into_iter().map(|share| self.share(share)).collect()
    }

    /// Where parcels and news go.
    async fn contact(&self, ctx: &Context<'_>) -> Result<OrderContact> {
        self.opened(ctx)
    }

    /// What the buyer must do to go on paying. Null when there is nothing to do.
    async fn action(&self) -> Option<PaymentAction> {
        Action::read(self.order.settlement.action.as_deref()).map(PaymentAction::from)
    }

    /// Why it is being cancelled or was: `SOLD_OUT`, `DECLINED`, `NOT_CONFIRMED`, `CANCELLED`, `TIMED_OUT`, `STOCK_LOST`.
    async fn cancel_reason(&self) -> Option<&str> {
        let gone = matches!(self.order.status(), Status::Cancelled | Status::Cancelling);
        gone.then(|| Why::code(self.order.settlement.failure.as_deref()))
    }

    /// Everything that happened to it, oldest first.
    async fn timeline(&self, ctx: &Context<'_>) -> Result<Vec<OrderEvent>> {
        let log = load(ctx, LogOf(self.id)).await?.unwrap_or_default();
        Ok(log.into_iter().map(OrderEvent::from).collect())
    }

    /// Counts up by one with everything that happens to it: the sequence of the last entry of the timeline.
    async fn version(&self) -> Long {
        Long(self.order.settlement.version)
    }
}

impl Order {
    pub(super) fn opened(&self, ctx: &Context<'_>) -> Result<OrderContact> {
        let text = ctx.data_unchecked::<Secrets>().open(self.id, &self.order.row.contact_sealed)?;
        let contact: Contact = serde_json::from_str(&text).map_err(Failure::from)?;
        Ok(contact.into())
    }

    /// One seller's lines.
    pub(super) async fn lines_of(&self, ctx: &Context<'_>, seller: SellerId) -> Result<Vec<OrderLine>> {
        let lines = load(ctx, LinesOf(self.id)).await?.unwrap_or_default();
        lines.into_iter().filter(|line| line.seller_id == seller).map(|line| self.line(line)).collect()
    }

    fn line(&self, line: order_line::Model) -> Result<OrderLine> {
        Ok(OrderLine {
            number: line.number,
            offer: Offer { id: line.offer_id },
            variant: Variant { id: line.variant_id },
            seller: Seller { id: line.seller_id },
            quantity: Long(line.quantity),
            unit_price: self.money(line.unit_minor)?,
            discount: self.money(line.discount_minor)?,
            tax: self.money(line.tax_minor)?,
            total: self.money(line.total_minor)?,
        })
    }

    fn share(&self, share: order_share::Model) -> Result<OrderShare> {
        Ok(OrderShare {
            order: self.id,
            zero: self.money(0)?,
            seller_id: share.seller_id,
            paid: self.order.settlement.state.is_paid(),
            seller: Seller { id: share.seller_id },
            goods: self.money(share.goods_minor)?,
            shipping: self.money(share.shipping_minor)?,
            discount: self.money(share.discount_minor)?,
            tax: self.money(share.tax_minor)?,
            total: self.money(share.total_minor)?,
            confirmed_at: share.confirmed_at,
        })
    }
}

/// One offer in an order.
#[derive(SimpleObject)]
pub struct OrderLine {
    /// Its number in the order, from 1.
    number: i32,
    /// The offer.
    offer: Offer,
    /// What was bought.
    variant: Variant,
    /// Who sells it.
    seller: Seller,
    /// How many pieces.
    quantity: Long,
    /// The price of a piece.
    unit_price: Money,
    /// What promotions took off this line.
    discount: Money,
    /// Tax in this line's total.
    tax: Money,
    /// What the buyer pays for this line.
    total: Money,
}

/// One seller's part of an order.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct OrderShare {
    #[graphql(skip)]
    order: OrderId,
    #[graphql(skip)]
    zero: Money,
    #[graphql(skip)]
    seller_id: SellerId,
    #[graphql(skip)]
    paid: bool,
    /// Who sells and ships it.
    seller: Seller,
    /// Goods, before discounts.
    goods: Money,
    /// Shipping, before discounts.
    shipping: Money,
    /// What promotions took off goods and shipping.
    discount: Money,
    /// Tax in the total.
    tax: Money,
    /// What the buyer pays this seller.
    total: Money,
    /// When the seller said that they will send it. Null: they have not.
    confirmed_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl OrderShare {
    /// How far it is. Null until the order is paid.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Option<ShareProgress>> {
        if !self.paid {
            return Ok(None);
        }
        let facts = load(ctx, FactsOf(self.order)).await?.unwrap_or_default();
        Ok(Some(facts.progress(self.seller_id).into()))
    }

    /// Parcels on their way or arrived.
    async fn fulfilments(&self, ctx: &Context<'_>) -> Result<Vec<Fulfilment>> {
        let parcels = load(ctx, ParcelsOf(self.order)).await?.unwrap_or_default();
        let own = parcels.into_iter().filter(|parcel| parcel.seller_id == self.seller_id);
        Ok(own.map(Fulfilment::try_from).collect::<Result<_, _>>()?)
    }

    /// Money that went back, or is on its way.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<OrderRefund>> {
        let refunds = load(ctx, RefundsOf(self.order)).await?.unwrap_or_default();
        let own = refunds.into_iter().filter(|refund| refund.seller_id == self.seller_id);
        Ok(own.map(|refund| OrderRefund::new(refund, self.zero)).collect::<Result<_, _>>()?)
    }

    /// Goods that the buyer wants to send back.
    async fn returns(&self, ctx: &Context<'_>) -> Result<Vec<OrderReturn>> {
        let returns = load(ctx, ReturnsOf(self.order)).await?.unwrap_or_default();
        let own = returns.into_iter().filter(|row| row.seller_id == self.seller_id);
        Ok(own.map(OrderReturn::try_from).collect::<Result<_, _>>()?)
    }
}

/// Where parcels and news of an order go.
#[derive(SimpleObject)]
pub struct OrderContact {
    /// The buyer's e-mail address.
    email: String,
    /// Who gets the parcel.
    recipient: String,
    /// Street and number.
    line1: String,
    /// More of the street.
    line2: Option<String>,
    /// The city.
    city: String,
    /// State, province or the like.
    region: Option<String>,
    /// The postal code.
    postal_code: Option<String>,
    /// The country of ISO 3166-1.
    country: String,
    /// For the carrier.
    phone: Option<String>,
}

impl From<Contact> for OrderContact {
    fn from(contact: Contact) -> Self {
        let address = contact.address;
        Self {
            email: contact.email,
            recipient: address.recipient,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
        }
    }
}

/// What the buyer must do to go on paying.
#[derive(SimpleObject)]
pub struct PaymentAction {
    /// Where the buyer confirms, when the provider has a page for it.
    redirect_url: Option<String>,
    /// What the provider's client library continues with.
    client_secret: Option<String>,
}

impl From<Action> for PaymentAction {
    fn from(action: Action) -> Self {
        Self { redirect_url: action.redirect_url, client_secret: action.client_secret }
    }
}

/// Something that happened to an order.
#[derive(SimpleObject)]
pub struct OrderEvent {
    /// Counts up by one with each.
    sequence: Long,
    /// What happened: `placed`, `authorising`, `confirming`, `capturing`, `committing` (paid), `settled`, `voiding`,
    /// `releasing`, `refunding`, `cancelled`, `asked_again`, what begins with `stuck`; and after the sale `confirmed`,
    /// `shipped`,
    /// `delivered`, `cancelled_lines`, `refund_asked`, `refunded`, `refund_failed`, and what begins with `return`.
    kind: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<order_event::Model> for OrderEvent {
    fn from(entry: order_event::Model) -> Self {
        Self { sequence: Long(entry.sequence), kind: entry.kind, at: entry.at }
    }
}

/// Which order to cancel.
#[derive(InputObject)]
pub struct CancelOrderInput {
    /// The order.
    order_id: OrderId,
    /// The token of a guest's order.
    order_token: Option<String>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct CancelOrderPayload {
    /// The order afterwards; null when something is wrong.
    order: Option<Order>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<CancelOrderError>,
}

user_error! {
    /// Why an order was not cancelled.
    CancelOrderError (CancelOrderErrorCode) {
        /// There is no such order of yours.
        NotFound,
        /// Its money is being taken at this moment, or everything was sent.
        TooLate,
    }
}

#[derive(Default)]
pub struct OrderQueries;

#[Object]
impl OrderQueries {
    /// An order of the viewer's, or a guest's by its token; for admins, any. Null when there is no such one.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: OrderId,
        #[graphql(desc = "The token that `checkout` gave.")] order_token: Option<String>,
    ) -> Result<Option<Order>> {
        let reader = super::reader(ctx, id, order_token.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        Ok(order::find(db, reader, id).await?.map(Order::new))
    }

    /// The viewer's orders, newest first.
    async fn my_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<OrderId>, Order>> {
        let viewer = Viewer::required(ctx)?;
        let page = Page::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let orders = order::list(db, viewer.user, page.after, page.rows()).await?;
        Ok(page.connection(orders, |order| order.row.id, Order::new))
    }

    #[graphql(entity)]
    async fn find_order_by_id(&self, ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>> {
        let Ok(reader) = super::reader(ctx, id, None) else { return Ok(None) };
        let db = ctx.data_unchecked::<Env>().db.read();
        Ok(order::find(db, reader, id).await?.map(Order::new))
    }
}

#[derive(Default)]
pub struct OrderMutations;

#[Object]
impl OrderMutations {
    /// Cancels an order: all of it until its money is being taken, and what was not sent once it is paid. Stock and money
    /// of that go back. Cancelling what is cancelled changes nothing.
    async fn cancel_order(&self, ctx: &Context<'_>, input: CancelOrderInput) -> Result<CancelOrderPayload> {
        let reader = super::reader(ctx, input.order_id, input.order_token.as_deref())?;
        let env = ctx.data_unchecked::<Env>();
        let now = env.clock.now();
        let done =
            tx::run(&env.db, async |tx| operator::cancel(tx, now, reader, input.order_id).await).await?;
        let refusal = match done {
            Ok(order) => {
                return Ok(CancelOrderPayload { order: Some(Order::new(order)), user_errors: vec![] });
            }
            Err(refusal) => refusal,
        };
        let code = match refusal {
            CancelRefusal::NotFound => CancelOrderErrorCode::NotFound,
            CancelRefusal::TooLate => CancelOrderErrorCode::TooLate,
        };
        let error = CancelOrderError::new(code, &["input", "orderId"], refusal);
        Ok(CancelOrderPayload { order: None, user_errors: vec![error] })
    }
}
