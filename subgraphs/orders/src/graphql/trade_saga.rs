//! Sagas of trades, for operators: where they are, and what can be done when they are stuck.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Env, tx};
use chrono::{DateTime, Utc};
use contract::{Long, TradeId, UserId};
use entity::orders::{trade, trade_event};

use super::loaders::{TradeLogOf, load};
use super::trade::{Trade, place};
use super::user_error::user_error;
use crate::trade::failure::Why;
use crate::trade::operator::{self, ActRefusal, Action};
use crate::trade::rules::Rules;
use crate::trade::saga::State;
use crate::trade::{self as trades, Place};

/// Where the saga of a trade is. What begins with `STUCK` needs an operator.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum TradeSagaState {
    /// The buyer's money was asked to be held.
    Authorising,
    /// The buyer must confirm with their bank.
    Confirming,
    /// The held money was asked to be taken.
    Capturing,
    /// Paid. The seller is to send the piece to the authentication centre.
    AwaitingShipment,
    /// On its way to the centre.
    InTransit,
    /// At the centre, to be looked at.
    Authenticating,
    /// What it should be; to be sent to the buyer.
    Authentic,
    /// On its way to the buyer.
    Dispatched,
    /// Delivered. The seller's money was asked to be released.
    Releasing,
    /// The piece is the buyer's, the money the seller's. An end.
    Completed,
    /// The hold was asked to be given up.
    Voiding,
    /// The buyer could not pay: nothing was taken. An end.
    PaymentFailed,
    /// Taken money was asked to go back.
    Refunding,
    /// The buyer has their money again. An end.
    Refunded,
    /// Nobody answers whether money was taken.
    StuckCapturing,
    /// Nobody answers whether the hold is gone.
    StuckVoiding,
    /// The money does not go back.
    StuckRefunding,
    /// The seller's money is not released.
    StuckReleasing,
}

/// The way of a trade to its end.
pub struct TradeSaga(trade::Model);

#[Object]
impl TradeSaga {
    /// The trade.
    async fn trade(&self) -> Trade {
        Trade::for_staff(self.0.clone())
    }

    /// Where it is.
    async fn state(&self) -> TradeSagaState {
        self.0.state.into()
    }

    /// The buyer.
    async fn buyer_id(&self) -> UserId {
        self.0.buyer_id
    }

    /// The user behind the shop.
    async fn seller_user_id(&self) -> UserId {
        self.0.seller_user_id
    }

    /// How often the last ask was repeated.
    async fn repeats(&self) -> i32 {
        self.0.repeats
    }

    /// When it asks again or gives up. Null when it waits for nothing.
    async fn next_run_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_run_at
    }

    /// Why it came to nothing.
    async fn failure(&self) -> Option<&str> {
        Why::read(self.0.failure.as_deref()).map(|why| why.code())
    }

    /// Its steps, oldest first.
    async fn steps(&self, ctx: &Context<'_>) -> Result<Vec<TradeSagaStep>> {
        let log = load(ctx, TradeLogOf(self.0.id)).await?.unwrap_or_default();
        Ok(log.into_iter().map(TradeSagaStep::from).collect())
    }

    /// When it last moved.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A step of the saga of a trade.
#[derive(SimpleObject)]
pub struct TradeSagaStep {
    /// Counts up by one with each.
    sequence: Long,
    /// Where it led, or what somebody did.
    kind: String,
    /// Who did it: a user, `market`, `system`, `timer`, or `command line`.
    actor: String,
    /// Facts, as JSON.
    details: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<trade_event::Model> for TradeSagaStep {
    fn from(entry: trade_event::Model) -> Self {
        Self {
            sequence: Long(entry.sequence),
            kind: entry.kind,
            actor: entry.actor,
            details: entry.details,
            at: entry.at,
        }
    }
}

/// What an operator does to the saga of a trade.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Action")]
pub enum TradeSagaAction {
    /// Stuck: asks again. Whoever is asked finds out first what became of the asks before.
    Retry,
    /// Stuck: what was asked for has happened, as you have seen elsewhere. Goes on.
    Skip,
    /// Undoes a match before the piece is at the centre, or one that is stuck in taking the money. Nobody is to blame:
    /// there is no penalty and no strike. Money that was taken goes back.
    Undo,
    /// Stuck: you have settled it by hand; the piece is the buyer's, the money the seller's.
    ResolveCompleted,
    /// Stuck: you have settled it by hand, and nothing is owed.
    ResolveUndone,
}

/// What to do to the saga of which trade.
#[derive(InputObject)]
pub struct ActOnTradeInput {
    /// The trade.
    trade_id: TradeId,
    /// What to do.
    action: TradeSagaAction,
    /// Why: 1 to 200 characters. It is kept in the audit trail.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct ActOnTradePayload {
    /// The saga afterwards; null when something is wrong.
    saga: Option<TradeSaga>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<ActOnTradeError>,
}

user_error! {
    /// Why nothing was done.
    ActOnTradeError (ActOnTradeErrorCode) {
        /// There is no such trade.
        NotFound,
        /// The reason is missing or too long.
        ReasonInvalid,
        /// This is no move from where the saga is.
        NotNow,
    }
}

#[derive(Default)]
pub struct TradeSagaQueries;

#[Object]
impl TradeSagaQueries {
    /// Sagas of trades in some states, oldest match first. For admins.
    async fn trade_sagas(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In these states; without it, those that need an operator.")] state: Option<
            Vec<TradeSagaState>,
        >,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Place>, TradeSaga>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let states: Vec<State> = match state {
            Some(states) => states.into_iter().map(State::from).collect(),
            None => State::ALL.into_iter().filter(|state| state.needs_operator()).collect(),
        };
        let db = ctx.data_unchecked::<Env>().db.read();
        let rows = trades::in_states(db, &states, page.after, page.rows()).await?;
        Ok(page.connection(rows, place, TradeSaga))
    }
}

#[derive(Default)]
pub struct TradeSagaMutations;

#[Object]
impl TradeSagaMutations {
    /// Moves the saga of a trade that cannot move by itself, or undoes a match. For admins.
    async fn act_on_trade(&self, ctx: &Context<'_>, input: ActOnTradeInput) -> Result<ActOnTradePayload> {
        use ActOnTradeErrorCode as Code;
        let actor = Viewer::with_role(ctx, Role::Admin)?.user.to_string();
        let (env, rules) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Rules>());
        let now = env.clock.now();
        let ActOnTradeInput { trade_id, action, reason } = input;
        let done = tx::run(&env.db, async |tx| {
            operator::act(tx, rules, now, trade_id, action.into(), &actor, &reason).await
        });
        let refusal = match done.await? {
            Ok(row) => return Ok(ActOnTradePayload { saga: Some(TradeSaga(row)), user_errors: vec![] }),
            Err(refusal) => refusal,
        };
        let (code, field) = match refusal {
            ActRefusal::NotFound => (Code::NotFound, "tradeId"),
            ActRefusal::ReasonInvalid => (Code::ReasonInvalid, "reason"),
            ActRefusal::NotNow => (Code::NotNow, "action"),
        };
        let error = ActOnTradeError::new(code, &["input", field], refusal);
        Ok(ActOnTradePayload { saga: None, user_errors: vec![error] })
    }
}
