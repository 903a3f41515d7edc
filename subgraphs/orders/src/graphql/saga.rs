//! Sagas, for operators: every order on its way to being paid, where it is, and what can be done when it is stuck.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::{Long, OrderId};
use entity::orders::order_event;

use super::loaders::{LogOf, load};
use super::order::Order;
use super::user_error::user_error;
use crate::failure::Why;
use crate::operator::{self, ActRefusal, Action};
use crate::order;
use crate::settlement::State;

/// Where a saga is. What begins with `STUCK` needs an operator.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum SagaState {
    /// Stock was asked for.
    Reserving,
    /// Money was asked for.
    Authorising,
    /// The buyer must confirm with their bank.
    Confirming,
    /// The held money was asked to be taken.
    Capturing,
    /// As `CAPTURING`, and the stock has gone meanwhile.
    CapturingUnstocked,
    /// Paid. The stock was asked to leave the shelves.
    Committing,
    /// Paid, and the stock is the buyer's. An end.
    Settled,
    /// The hold was asked to be given up.
    Voiding,
    /// Taken money was asked to go back.
    Refunding,
    /// The stock was asked to be given back.
    Releasing,
    /// Nothing is reserved and nothing is held. An end.
    Cancelled,
    /// Nobody answers whether money was taken.
    StuckCapturing,
    /// Paid, and nobody answers for the stock.
    StuckCommitting,
    /// Nobody answers whether the hold is gone.
    StuckVoiding,
    /// The money does not go back.
    StuckRefunding,
    /// The stock does not come back.
    StuckReleasing,
}

/// The way of an order to being paid, or to nothing.
pub struct Saga(order::Order);

#[Object]
impl Saga {
    /// The order.
    async fn order(&self) -> Order {
        Order::new(self.0.clone())
    }

    /// Where it is.
    async fn state(&self) -> SagaState {
        self.0.settlement.state.into()
    }

    /// How often the last ask was repeated.
    async fn repeats(&self) -> i32 {
        self.0.settlement.repeats
    }

    /// When it asks again or gives up. Null when it waits for nothing.
    async fn next_run_at(&self) -> Option<DateTime<Utc>> {
        self.0.settlement.next_run_at
    }

    /// Why it came to nothing: `SOLD_OUT`, `DECLINED`, `NOT_CONFIRMED`, `CANCELLED`, `TIMED_OUT`, `STOCK_LOST`.
    async fn failure(&self) -> Option<&str> {
        let failure = self.0.settlement.failure.as_deref()?;
        Some(Why::code(Some(failure)))
    }

    /// Its steps, oldest first.
    async fn steps(&self, ctx: &Context<'_>) -> Result<Vec<SagaStep>> {
        let log = load(ctx, LogOf(self.0.row.id)).await?.unwrap_or_default();
        Ok(log.into_iter().map(SagaStep::from).collect())
    }

    /// When it last moved.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.settlement.updated_at
    }
}

/// A step of a saga.
#[derive(SimpleObject)]
pub struct SagaStep {
    /// Counts up by one with each.
    sequence: Long,
    /// Where it led, or `asked_again`.
    kind: String,
    /// Who did it: a user, `system`, or `command line`.
    actor: String,
    /// Facts, as JSON.
    details: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<order_event::Model> for SagaStep {
    fn from(entry: order_event::Model) -> Self {
        Self {
            sequence: Long(entry.sequence),
            kind: entry.kind,
            actor: entry.actor,
            details: entry.details,
            at: entry.at,
        }
    }
}

/// What an operator does to a saga.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Action")]
pub enum SagaAction {
    /// Stuck: asks again. Whoever is asked finds out first what became of the asks before.
    Retry,
    /// Stuck: what was asked for has happened, as you have seen elsewhere. Goes on.
    Skip,
    /// Not yet paid, or stuck in taking the money: undoes it. Money that was taken after all goes back.
    Compensate,
    /// Stuck: you have settled it by hand, and the goods are the buyer's.
    ResolvePaid,
    /// Stuck: you have settled it by hand, and nothing is owed.
    ResolveCancelled,
}

/// What to do to which saga.
#[derive(InputObject)]
pub struct ActOnSagaInput {
    /// The order.
    order_id: OrderId,
    /// What to do.
    action: SagaAction,
    /// Why: 1 to 200 characters. It is kept in the audit trail.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ActOnSagaPayload {
    /// The saga afterwards; null when something is wrong.
    saga: Option<Saga>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ActOnSagaError>,
}

user_error! {
    /// Why nothing was done.
    ActOnSagaError (ActOnSagaErrorCode) {
        /// There is no such order.
        NotFound,
        /// The reason is missing or too long.
        ReasonInvalid,
        /// This is no move from where the saga is.
        NotNow,
    }
}

#[derive(Default)]
pub struct SagaQueries;

#[Object]
impl SagaQueries {
    /// Sagas in some states, oldest first. For admins.
    async fn sagas(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In these states; without it, those that need an operator.")] state: Option<
            Vec<SagaState>,
        >,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<OrderId>, Saga>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let states: Vec<State> = match state {
            Some(states) => states.into_iter().map(State::from).collect(),
            None => State::ALL.into_iter().filter(|state| state.needs_operator()).collect(),
        };
        let db = ctx.data_unchecked::<Env>().db.read();
        let orders = order::in_states(db, &states, page.after, page.rows()).await?;
        Ok(page.connection(orders, |order| order.row.id, Saga))
    }
}

#[derive(Default)]
pub struct SagaMutations;

#[Object]
impl SagaMutations {
    /// Moves a saga that cannot move by itself. For admins.
    async fn act_on_saga(&self, ctx: &Context<'_>, input: ActOnSagaInput) -> Result<ActOnSagaPayload> {
        use ActOnSagaErrorCode as Code;
        let viewer = Viewer::with_role(ctx, Role::Admin)?;
        let env = ctx.data_unchecked::<Env>();
        let (now, actor) = (env.clock.now(), viewer.user.to_string());
        let done = tx::run(&env.db, async |tx| {
            operator::act(tx, now, input.order_id, input.action.into(), &actor, &input.reason).await
        });
        let refusal = match done.await? {
            Ok(order) => return Ok(ActOnSagaPayload { saga: Some(Saga(order)), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            ActRefusal::NotFound => (Code::NotFound, "orderId"),
            ActRefusal::ReasonInvalid => (Code::ReasonInvalid, "reason"),
            ActRefusal::NotNow => (Code::NotNow, "action"),
        };
        let error = ActOnSagaError::new(code, &["input", field], refusal);
        Ok(ActOnSagaPayload { saga: None, user_errors: vec![error] })
    }
}
