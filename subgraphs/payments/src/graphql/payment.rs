//! Payments, as buyers and admins see them.

use async_graphql::{ComplexObject, Context, Enum, Object, Result, SimpleObject};
use chassis::Env;
use chassis::auth::{Role, Viewer};
use chrono::{DateTime, Utc};
use contract::{DisputeId, Money, OrderId, PaymentId, RefundId};
use entity::payments::payment::State;
use entity::payments::{dispute, payment, refund};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::loaders::{DisputesOf, RefundsOf, load};
use crate::provider::sandbox;

/// Where a payment stands. `AUTHORISING` becomes `AUTHORISED`, `NEEDS_ACTION`, `DECLINED` or `FAILED`; `NEEDS_ACTION`
/// becomes `AUTHORISED` or `DECLINED` when the buyer has confirmed or not; `AUTHORISED` becomes `CAPTURING` and then
/// `CAPTURED`. Until then it may become `VOIDING` and then `VOIDED`. From `CAPTURED` on it moves between `CAPTURED`,
/// `PARTLY_REFUNDED`, `REFUNDED` and `DISPUTED`, as its sums say.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum PaymentState {
    /// The provider is being asked to hold the money.
    Authorising,
    /// The buyer must confirm with their bank: `redirectUrl` or `clientSecret` say how.
    NeedsAction,
    /// The money is held, not taken.
    Authorised,
    /// The hold is being given up.
    Voiding,
    /// Nothing is held, and nothing will be.
    Voided,
    /// The buyer's bank said no; `problem` says why. Nothing is held.
    Declined,
    /// The money is being taken.
    Capturing,
    /// The money was taken, and is held for the sellers until they have earned it.
    Captured,
    /// Some of it went back to the buyer.
    PartlyRefunded,
    /// All of it went back to the buyer.
    Refunded,
    /// The buyer's bank has taken it back for now.
    Disputed,
    /// It could not be made; `problem` says why. Nothing is held.
    Failed,
}

/// The buyer's payment of an order.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Payment {
    /// The payment's id.
    id: PaymentId,
    /// The order that it is for.
    order: Order,
    /// Where it stands.
    state: PaymentState,
    /// What the order costs.
    amount: Money,
    /// What was taken: nothing, or all of it.
    captured: Money,
    /// What has gone back to the buyer.
    refunded: Money,
    /// Who moves the money. `sandbox` moves none: it is for trying out.
    provider: String,
    /// Whether it is a SANDBOX payment: no money moves.
    sandbox: bool,
    /// Why it was declined or failed.
    problem: Option<PaymentProblem>,
    /// Where the buyer confirms, while it needs action; relative to this endpoint's address, or absolute.
    redirect_url: Option<String>,
    /// What the provider's client library continues with, while it needs action.
    client_secret: Option<String>,
    /// When the provider lets the hold go by itself.
    held_until: Option<DateTime<Utc>>,
    /// When it was begun.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    currency: contract::CurrencyCode,
    #[graphql(skip)]
    attention: Option<String>,
}

/// Why a payment was declined or failed.
#[derive(SimpleObject)]
pub struct PaymentProblem {
    /// The provider's word, such as `insufficient_funds`.
    code: String,
    /// Fit to show to the buyer.
    message: String,
}

#[ComplexObject]
impl Payment {
    /// What went back to the buyer, or is on its way, oldest first.
    async fn refunds(&self, ctx: &Context<'_>) -> Result<Vec<Refund>> {
        let refunds = load(ctx, RefundsOf(self.id)).await?.unwrap_or_default();
        Ok(refunds.into_iter().map(|row| Refund::new(row, self.currency)).collect())
    }

    /// What the buyer's bank took back, for now or for good, oldest first.
    async fn disputes(&self, ctx: &Context<'_>) -> Result<Vec<Dispute>> {
        let disputes = load(ctx, DisputesOf(self.id)).await?.unwrap_or_default();
        Ok(disputes.into_iter().map(|row| Dispute::new(row, self.currency)).collect())
    }

    /// Why an operator must look; null when nobody need. Admins see it.
    async fn attention(&self, ctx: &Context<'_>) -> Option<&str> {
        let viewer = Viewer::maybe(ctx).filter(|viewer| viewer.is(Role::Admin));
        viewer.and(self.attention.as_deref())
    }
}

impl From<payment::Model> for Payment {
    fn from(row: payment::Model) -> Self {
        let currency = row.currency.parse().expect("payments are kept with currencies of ISO 4217");
        let money = |amount_minor| Money { amount_minor, currency };
        let waits = row.state == State::NeedsAction;
        let none = matches!(row.state, State::Declined | State::Failed);
        let problem = |code| PaymentProblem { code, message: row.message.unwrap_or_default() };
        Self {
            id: row.id,
            order: Order { id: row.order_id },
            state: row.state.into(),
            amount: money(row.amount_minor),
            captured: money(row.captured_minor),
            refunded: money(row.refunded_minor),
            sandbox: row.provider == sandbox::NAME,
            provider: row.provider,
            problem: row.code.filter(|_| none).map(problem),
            redirect_url: row.redirect_url.filter(|_| waits),
            client_secret: row.client_secret.filter(|_| waits),
            held_until: row.held_until,
            created_at: row.created_at,
            currency,
            attention: row.attention,
        }
    }
}

/// Where a refund stands. `PENDING` becomes `SUCCEEDED` or `FAILED`. `SUCCEEDED` becomes `FAILED` when the buyer's bank sends
/// the money back; a failed one that is tried again is `PENDING`.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "refund::State")]
pub enum RefundState {
    /// It is on its way.
    Pending,
    /// The buyer's bank has it.
    Succeeded,
    /// The buyer's bank did not take it, or sent it back. It is tried again, or the buyer gets it in another way.
    Failed,
}

/// Money that goes back to the buyer.
#[derive(SimpleObject)]
pub struct Refund {
    /// The refund's id.
    id: RefundId,
    /// How much.
    amount: Money,
    /// Where it stands.
    state: RefundState,
    /// Why it was made.
    reason: String,
    /// When it was asked for.
    created_at: DateTime<Utc>,
}

impl Refund {
    fn new(row: refund::Model, currency: contract::CurrencyCode) -> Self {
        Self {
            id: row.id,
            amount: Money { amount_minor: row.amount_minor, currency },
            state: row.state.into(),
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}

/// Where a dispute stands. `OPEN` becomes `WON` or `LOST`, once.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "dispute::Status", name = "PaymentDisputeStatus")]
pub enum DisputeStatus {
    /// The bank has taken the money back for now.
    Open,
    /// The money came back.
    Won,
    /// The money is gone.
    Lost,
}

/// A buyer's bank takes a payment back.
#[derive(SimpleObject)]
#[graphql(name = "PaymentDispute")]
pub struct Dispute {
    /// The dispute's id.
    id: DisputeId,
    /// How much.
    amount: Money,
    /// Where it stands.
    status: DisputeStatus,
    /// The bank's word, such as `fraudulent`.
    reason: String,
    /// When it was opened.
    created_at: DateTime<Utc>,
}

impl Dispute {
    fn new(row: dispute::Model, currency: contract::CurrencyCode) -> Self {
        Self {
            id: row.id,
            amount: Money { amount_minor: row.amount_minor, currency },
            status: row.status.into(),
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}

// The description of this type is its owner's.
pub struct Order {
    pub id: OrderId,
}

#[Object]
impl Order {
    /// The order's id.
    async fn id(&self) -> OrderId {
        self.id
    }

    /// How the order is paid. Null until the payment is begun. Who may see the order of a guest may see its payment; that
    /// of a user only they and admins.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        let row = load(ctx, self.id).await?;
        Ok(row.filter(|row| row.user_id.is_none() || may_see(ctx, row)).map(Payment::from))
    }
}

fn may_see(ctx: &Context<'_>, row: &payment::Model) -> bool {
    Viewer::maybe(ctx).is_some_and(|viewer| viewer.is(Role::Admin) || row.user_id == Some(viewer.user))
}

/// The payments that a viewer may see: their own, an admin all.
fn visible(viewer: &Viewer) -> Condition {
    match viewer.is(Role::Admin) {
        true => Condition::all(),
        false => Condition::all().add(payment::Column::UserId.eq(viewer.user)),
    }
}

#[derive(Default)]
pub struct PaymentQueries;

#[Object]
impl PaymentQueries {
    #[graphql(entity)]
    async fn find_order_by_id(&self, id: OrderId) -> Order {
        Order { id }
    }

    /// A payment of the viewer; for admins, any. Null when there is no such one.
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment.")] id: PaymentId,
    ) -> Result<Option<Payment>> {
        let viewer = Viewer::required(ctx)?;
        let db = ctx.data_unchecked::<Env>().db.read();
        let row = payment::Entity::find()
            .filter(visible(viewer))
            .filter(payment::Column::Id.eq(id))
            .one(db)
            .await?;
        Ok(row.map(Payment::from))
    }
}
