//! What bidding could not apply, for operators.

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::dead_letter::{self, DeadLetter, Refusal};
use chassis::inbox::Consumer;
use chassis::page::{Cursor, Page};
use chassis::{Denied, Env};
use contract::EventId;

use super::user_error::user_error;
use crate::limits::{LINE_LENGTH_MAX, is_line_of_text};

#[derive(Default)]
pub struct DeadLetterQueries;

#[Object]
impl DeadLetterQueries {
    /// Events that bidding could not apply and that wait for an operator, oldest first. For admins.
    async fn bidding_dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<EventId>, DeadLetter>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let letters = dead_letter::list(&ctx.data_unchecked::<Env>().db, &page).await?;
        Ok(page.connection(letters, |letter| letter.event_id, DeadLetter::from))
    }
}

/// Which letter to deliver again.
#[derive(InputObject)]
pub struct RetryBiddingDeadLetterInput {
    /// The event.
    id: EventId,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RetryBiddingDeadLetterPayload {
    /// The event, applied; null when something is wrong.
    id: Option<EventId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<RetryBiddingDeadLetterError>,
}

user_error! {
    /// Why a letter was not delivered again.
    RetryBiddingDeadLetterError (RetryBiddingDeadLetterErrorCode) {
        /// There is no such letter, or somebody has dealt with it.
        NotWaiting,
    }
}

/// Which letter to give up.
#[derive(InputObject)]
pub struct DropBiddingDeadLetterInput {
    /// The event.
    id: EventId,
    /// Why: 1 to 200 characters. It is kept.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DropBiddingDeadLetterPayload {
    /// The event, given up; null when something is wrong.
    id: Option<EventId>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<DropBiddingDeadLetterError>,
}

user_error! {
    /// Why a letter was not given up.
    DropBiddingDeadLetterError (DropBiddingDeadLetterErrorCode) {
        /// There is no such letter, or somebody has dealt with it.
        NotWaiting,
    }
}

#[derive(Default)]
pub struct DeadLetterMutations;

#[Object]
impl DeadLetterMutations {
    /// Delivers an event again that bidding could not apply. For admins.
    async fn retry_bidding_dead_letter(
        &self,
        ctx: &Context<'_>,
        input: RetryBiddingDeadLetterInput,
    ) -> Result<RetryBiddingDeadLetterPayload> {
        use RetryBiddingDeadLetterErrorCode as Code;
        let viewer = Viewer::with_role(ctx, Role::Admin)?;
        let env = ctx.data_unchecked::<Env>();
        let consumers = ctx.data_unchecked::<Vec<Consumer>>();
        let actor = viewer.user.to_string();
        let done = dead_letter::retry(&env.db, consumers, env.clock.now(), input.id, actor).await?;
        let user_errors = match done {
            Ok(()) => vec![],
            Err(Refusal::NotWaiting) => vec![RetryBiddingDeadLetterError::new(
                Code::NotWaiting,
                &["input", "id"],
                "there is no such letter waiting",
            )],
        };
        Ok(RetryBiddingDeadLetterPayload { id: done.is_ok().then_some(input.id), user_errors })
    }

    /// Gives up an event that bidding could not apply. For admins.
    async fn drop_bidding_dead_letter(
        &self,
        ctx: &Context<'_>,
        input: DropBiddingDeadLetterInput,
    ) -> Result<DropBiddingDeadLetterPayload> {
        use DropBiddingDeadLetterErrorCode as Code;
        let viewer = Viewer::with_role(ctx, Role::Admin)?;
        if !is_line_of_text(&input.reason, LINE_LENGTH_MAX) {
            return Err(Denied::bad_input("reason", "must have 1 to 200 characters").into());
        }
        let env = ctx.data_unchecked::<Env>();
        let actor = viewer.user.to_string();
        let done = dead_letter::drop(&env.db, env.clock.now(), input.id, input.reason, actor).await?;
        let user_errors = match done {
            Ok(()) => vec![],
            Err(Refusal::NotWaiting) => vec![DropBiddingDeadLetterError::new(
                Code::NotWaiting,
                &["input", "id"],
                "there is no such letter waiting",
            )],
        };
        Ok(DropBiddingDeadLetterPayload { id: done.is_ok().then_some(input.id), user_errors })
    }
}
