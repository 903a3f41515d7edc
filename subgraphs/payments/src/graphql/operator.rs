//! What operators see of payments that need them, and what they can do.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, Money, PaymentId};
use entity::payments::difference::{self, Kind};
use entity::payments::payment;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::payment::Payment;
use super::user_error::user_error;
use crate::Payments;
use crate::operator::{self, Action, Refusal};

/// Characters of a reason.
pub const REASON_LENGTH_MAX: usize = 500;

/// Whether a reason has 1 to [`REASON_LENGTH_MAX`] characters, not all blank, none of them a control character.
pub fn is_reason(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= REASON_LENGTH_MAX
        && !text.chars().any(char::is_control)
}

/// What differs between a provider and us.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum PaymentDifferenceKind {
    /// What the providers hold for the platform.
    Balance,
    /// What was taken for a payment.
    Captured,
    /// What went back of a payment.
    Refunded,
    /// A hold that belongs to nothing.
    OrphanHold,
}

/// Where the provider and the ledger contradict each other.
#[derive(SimpleObject)]
pub struct PaymentDifference {
    /// What differs.
    kind: PaymentDifferenceKind,
    /// What the ledger says.
    ledger: Money,
    /// What the provider says.
    provider: Money,
    /// What was compared.
    details: String,
    /// The provider; null: all of them together.
    provider_name: Option<String>,
    /// The payment that it is about; null: a balance.
    payment_id: Option<PaymentId>,
    /// When it was found.
    found_at: DateTime<Utc>,
}

impl From<difference::Model> for PaymentDifference {
    fn from(row: difference::Model) -> Self {
        let currency: CurrencyCode = row.currency.parse().expect("the ledger keeps currencies of ISO 4217");
        Self {
            kind: row.kind.into(),
            ledger: Money { amount_minor: row.ledger_minor, currency },
            provider: Money { amount_minor: row.provider_minor, currency },
            details: row.details,
            provider_name: Some(row.provider).filter(|name| !name.is_empty()),
            payment_id: row.payment_id,
            found_at: row.found_at,
        }
    }
}

#[derive(Default)]
pub struct OperatorQueries;

#[Object]
impl OperatorQueries {
    /// Payments that need an operator, oldest first: `attention` says why. For admins.
    async fn payments_needing_attention(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<PaymentId>, Payment>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let mut rows = payment::Entity::find()
            .filter(payment::Column::Attention.is_not_null())
            .order_by_asc(payment::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            rows = rows.filter(payment::Column::Id.gt(after));
        }
        let rows = rows.all(ctx.data_unchecked::<Payments>().env.db.read()).await?;
        Ok(page.connection(rows, |row| row.id, Payment::from))
    }

    /// Where providers and the ledger contradict each other now, oldest first. For admins.
    async fn payment_differences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Uuid>, PaymentDifference>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let mut rows = difference::Entity::find()
            .filter(difference::Column::ResolvedAt.is_null())
            .order_by_asc(difference::Column::Id)
            .limit(page.rows());
        if let Some(after) = page.after {
            rows = rows.filter(difference::Column::Id.gt(after));
        }
        let rows = rows.all(ctx.data_unchecked::<Payments>().env.db.read()).await?;
        Ok(page.connection(rows, |row| row.id, PaymentDifference::from))
    }
}

/// How to try again.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum PaymentRetry {
    /// At once and under the same keys: for an answer that should come now. What is too old to be sent is only read.
    SameKeys,
    /// After reading: what was done is taken over; what was not is asked anew under the next key, however old it is.
    AfterReconcile,
}

impl From<PaymentRetry> for Action {
    fn from(retry: PaymentRetry) -> Self {
        match retry {
            PaymentRetry::SameKeys => Self::Retry,
            PaymentRetry::AfterReconcile => Self::RetryAfterReconcile,
        }
    }
}

/// Which payment to act on.
#[derive(InputObject)]
pub struct RetryPaymentInput {
    /// The payment.
    payment_id: PaymentId,
    /// How.
    #[graphql(default_with = "PaymentRetry::AfterReconcile")]
    how: PaymentRetry,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RetryPaymentPayload {
    /// The payment; null when something is wrong.
    payment: Option<Payment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<RetryPaymentError>,
}

user_error! {
    /// Why a payment was not tried again.
    RetryPaymentError (RetryPaymentErrorCode) {
        /// There is no such payment.
        NotFound,
    }
}

/// Which payment to act on.
#[derive(InputObject)]
pub struct ReconcilePaymentInput {
    /// The payment.
    payment_id: PaymentId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ReconcilePaymentPayload {
    /// The payment; null when something is wrong.
    payment: Option<Payment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ReconcilePaymentError>,
}

user_error! {
    /// Why a payment was not read.
    ReconcilePaymentError (ReconcilePaymentErrorCode) {
        /// There is no such payment.
        NotFound,
    }
}

/// Which payment needs nobody any more.
#[derive(InputObject)]
pub struct DismissPaymentAttentionInput {
    /// The payment.
    payment_id: PaymentId,
    /// Why: 1 to 500 characters. It is kept.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DismissPaymentAttentionPayload {
    /// The payment; null when something is wrong.
    payment: Option<Payment>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<DismissPaymentAttentionError>,
}

user_error! {
    /// Why a payment still needs somebody.
    DismissPaymentAttentionError (DismissPaymentAttentionErrorCode) {
        /// There is no such payment.
        NotFound,
    }
}

#[derive(Default)]
pub struct OperatorMutations;

#[Object]
impl OperatorMutations {
    /// Tries what waits again, at once. Failed payouts are sent again, and refunds that buyers' banks sent back. For admins; it
    /// is audited.
    async fn retry_payment(
        &self,
        ctx: &Context<'_>,
        input: RetryPaymentInput,
    ) -> Result<RetryPaymentPayload> {
        let done = act(ctx, input.payment_id, input.how.into()).await?;
        let error = |Refusal::NotFound| {
            RetryPaymentError::new(RetryPaymentErrorCode::NotFound, ID, Refusal::NotFound)
        };
        let user_errors = done.as_ref().err().copied().map(error).into_iter().collect();
        Ok(RetryPaymentPayload { payment: done.ok(), user_errors })
    }

    /// Reads the payment from its provider and takes over what it says. The answer shows the payment as it was before:
    /// ask for it again in a moment. For admins; it is audited.
    async fn reconcile_payment(
        &self,
        ctx: &Context<'_>,
        input: ReconcilePaymentInput,
    ) -> Result<ReconcilePaymentPayload> {
        let done = act(ctx, input.payment_id, Action::Reconcile).await?;
        let error = |Refusal::NotFound| {
            ReconcilePaymentError::new(ReconcilePaymentErrorCode::NotFound, ID, Refusal::NotFound)
        };
        let user_errors = done.as_ref().err().copied().map(error).into_iter().collect();
        Ok(ReconcilePaymentPayload { payment: done.ok(), user_errors })
    }

    /// Says that a payment needs nobody any more, and why. For admins; it is audited.
    async fn dismiss_payment_attention(
        &self,
        ctx: &Context<'_>,
        input: DismissPaymentAttentionInput,
    ) -> Result<DismissPaymentAttentionPayload> {
        Viewer::with_role(ctx, Role::Admin)?;
        if !is_reason(&input.reason) {
            let message = format!("must have 1 to {REASON_LENGTH_MAX} characters, no control characters");
            return Err(Denied::bad_input("reason", message).into());
        }
        let done = act(ctx, input.payment_id, Action::Dismiss { reason: input.reason }).await?;
        let code = DismissPaymentAttentionErrorCode::NotFound;
        let error = |Refusal::NotFound| DismissPaymentAttentionError::new(code, ID, Refusal::NotFound);
        let user_errors = done.as_ref().err().copied().map(error).into_iter().collect();
        Ok(DismissPaymentAttentionPayload { payment: done.ok(), user_errors })
    }
}

const ID: &[&str] = &["input", "paymentId"];

async fn act(
    ctx: &Context<'_>,
    id: PaymentId,
    action: Action,
) -> Result<std::result::Result<Payment, Refusal>> {
    let actor = Viewer::with_role(ctx, Role::Admin)?.user.to_string();
    let Payments { env, courier, .. } = ctx.data_unchecked::<Payments>();
    let now = env.clock.now();
    let done =
        tx::run(&env.db, async |tx| operator::act(tx, now, courier, id, &action, &actor).await).await?;
    Ok(done.map(Payment::from))
}
