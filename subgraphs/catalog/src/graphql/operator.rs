//! What operators do with events that catalog could not apply.

use async_graphql::connection::Connection;
use async_graphql::{Context, InputObject, Object};
use chassis::auth::{Role, Viewer};
use chassis::dead_letter::{self, DeadLetter, Refusal};
use chassis::inbox::Consumer;
use chassis::page::{Cursor, Page};
use contract::EventId;

use super::answer::{invalid, one};
use super::shared::env;
use crate::input::Checks;

/// Characters of a reason.
const REASON_LENGTH_MAX: usize = 500;
const NOT_WAITING: &str = "there is no such letter waiting";

#[derive(Default)]
pub struct OperatorQueries;

#[Object]
impl OperatorQueries {
    /// Events that catalog could not apply and that wait for an operator, oldest first. For admins.
    async fn catalog_dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<Cursor<EventId>, DeadLetter>> {
        Viewer::with_role(ctx, Role::Admin)?;
        let page = Page::read(first, after.as_deref())?;
        let letters = dead_letter::list(&env(ctx).db, &page).await?;
        Ok(page.connection(letters, |letter| letter.event_id, DeadLetter::from))
    }
}

#[derive(InputObject)]
pub struct RetryCatalogDeadLetterInput {
    /// The event.
    pub id: EventId,
}

answer! {
    /// What came of `retryCatalogDeadLetter`.
    RetryCatalogDeadLetterPayload {
        /// The event, applied.
        id: EventId
    }
    /// Why an event was not delivered again.
    RetryCatalogDeadLetterError {}
    /// What is wrong with a `retryCatalogDeadLetter`.
    RetryCatalogDeadLetterErrorCode {
        /// There is no such letter, or somebody has dealt with it.
        NotWaiting,
    }
}

#[derive(InputObject)]
pub struct DropCatalogDeadLetterInput {
    /// The event.
    pub id: EventId,
    /// Why: 1 to 500 characters. It is kept.
    pub reason: String,
}

answer! {
    /// What came of `dropCatalogDeadLetter`.
    DropCatalogDeadLetterPayload {
        /// The event, given up.
        id: EventId
    }
    /// Why an event was not given up.
    DropCatalogDeadLetterError {}
    /// What is wrong with a `dropCatalogDeadLetter`.
    DropCatalogDeadLetterErrorCode {
        /// The reason is empty or too long.
        InvalidInput,
        /// There is no such letter, or somebody has dealt with it.
        NotWaiting,
    }
}

#[derive(Default)]
pub struct OperatorMutations;

#[Object]
impl OperatorMutations {
    /// Delivers an event again that catalog could not apply. For admins.
    async fn retry_catalog_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which event.")] input: RetryCatalogDeadLetterInput,
    ) -> async_graphql::Result<RetryCatalogDeadLetterPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let consumers = ctx.data_unchecked::<Vec<Consumer>>();
        let actor = viewer.user.to_string();
        let retried = dead_letter::retry(&env.db, consumers, env.clock.now(), input.id, actor).await?;
        Ok(RetryCatalogDeadLetterPayload::of(retried.map(|()| input.id).map_err(|Refusal::NotWaiting| {
            one::<RetryCatalogDeadLetterError>(
                RetryCatalogDeadLetterErrorCode::NotWaiting,
                &["id"],
                NOT_WAITING,
            )
        })))
    }

    /// Gives up an event that catalog could not apply. For admins.
    async fn drop_catalog_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which event, and why.")] input: DropCatalogDeadLetterInput,
    ) -> async_graphql::Result<DropCatalogDeadLetterPayload> {
        let (env, viewer) = (env(ctx), Viewer::with_role(ctx, Role::Admin)?);
        let mut checks = Checks::default();
        let reason = checks.line("reason", &input.reason, REASON_LENGTH_MAX);
        if let Err(problems) = checks.done() {
            let user_errors = invalid(DropCatalogDeadLetterErrorCode::InvalidInput, problems);
            return Ok(DropCatalogDeadLetterPayload { id: None, user_errors });
        }
        let actor = viewer.user.to_string();
        let dropped = dead_letter::drop(&env.db, env.clock.now(), input.id, reason, actor).await?;
        Ok(DropCatalogDeadLetterPayload::of(dropped.map(|()| input.id).map_err(|Refusal::NotWaiting| {
            one::<DropCatalogDeadLetterError>(
                DropCatalogDeadLetterErrorCode::NotWaiting,
                &["id"],
                NOT_WAITING,
            )
        })))
    }
}
