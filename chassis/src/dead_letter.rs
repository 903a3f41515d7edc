//! What operators do with events that a consumer could not apply: look, try again, or drop with a reason.

use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, Utc};
use contract::EventId;
use entity::shared::dead_letter::{self, Status};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::inbox::Consumer;
use crate::page::Page;
use crate::{Database, Failure, Outcome, Tx, audit, tx};

/// Where a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "DeadLetterStatus")]
pub enum State {
    /// Waits for an operator.
    Waiting,
    /// Was applied by an operator's retry.
    Retried,
    /// Was given up, with a reason.
    Dropped,
}

/// An event that could not be applied after all attempts.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(shareable)]
pub struct DeadLetter {
    /// The event's id.
    pub id: EventId,
    /// Who could not apply it.
    pub consumer: String,
    /// What was said, such as `catalog.offer_changed`.
    pub kind: String,
    /// The last error.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was given up.
    pub failed_at: DateTime<Utc>,
    /// Whether somebody has dealt with it.
    pub status: State,
    /// Why it was dropped.
    pub reason: Option<String>,
}

impl From<dead_letter::Model> for DeadLetter {
    fn from(letter: dead_letter::Model) -> Self {
        Self {
            id: letter.event_id,
            consumer: letter.consumer,
            kind: letter.kind,
            error: letter.error,
            attempts: letter.attempts,
            failed_at: letter.failed_at,
            status: match letter.status {
                Status::Waiting => State::Waiting,
                Status::Retried => State::Retried,
                Status::Dropped => State::Dropped,
            },
            reason: letter.reason,
        }
    }
}

/// Why an operator's action was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such letter, or somebody has dealt with it.
    NotWaiting,
}

/// Letters that wait, oldest first.
pub async fn list(db: &Database, page: &Page<EventId>) -> Result<Vec<dead_letter::Model>, Failure> {
    let mut letters = dead_letter::Entity::find()
        .filter(dead_letter::Column::Status.eq(Status::Waiting))
        .order_by_asc(dead_letter::Column::EventId)
        .limit(page.rows());
    if let Some(after) = page.after {
        letters = letters.filter(dead_letter::Column::EventId.gt(after));
    }
    Ok(letters.all(db.read()).await?)
}

/// Delivers a letter again, once, to those of `consumers` that gave it up.
///
/// # Errors
/// What a consumer failed with; the letter waits on, and who has applied it by then will skip it.
pub async fn retry(
    db: &Database,
    consumers: &[Consumer],
    now: DateTime<Utc>,
    event: EventId,
    actor: String,
) -> Outcome<(), Refusal> {
    let waiting = dead_letter::Entity::find()
        .filter(dead_letter::Column::EventId.eq(event))
        .filter(dead_letter::Column::Status.eq(Status::Waiting))
        .all(db.read())
        .await?;
    for letter in waiting {
        let Some(consumer) = consumers.iter().find(|consumer| consumer.name == letter.consumer) else {
            return Ok(Err(Refusal::NotWaiting));
        };
        consumer.deliver(vec![serde_json::from_str(&letter.envelope)?]).await?;
    }
    resolve(db, now, event, Status::Retried, None, actor).await
}

/// Gives a letter up for good. The reason and the actor are kept.
pub async fn drop(
    db: &Database,
    now: DateTime<Utc>,
    event: EventId,
    reason: String,
    actor: String,
) -> Outcome<(), Refusal> {
    resolve(db, now, event, Status::Dropped, Some(reason), actor).await
}

async fn resolve(
    db: &Database,
    now: DateTime<Utc>,
    event: EventId,
    status: Status,
    reason: Option<String>,
    actor: String,
) -> Outcome<(), Refusal> {
    tx::run(db, async |tx| {
        if !settle(tx, now, event, status, reason.clone()).await? {
            return Ok(Err(Refusal::NotWaiting));
        }
        let action = if status == Status::Dropped { "dead_letter.drop" } else { "dead_letter.retry" };
        audit::record(tx, now, &actor, action, &event.to_string(), serde_json::json!({ "reason": reason }))
            .await?;
        Ok(Ok(()))
    })
    .await
}

async fn settle(
    tx: &Tx,
    now: DateTime<Utc>,
    event: EventId,
    status: Status,
    reason: Option<String>,
) -> Result<bool, Failure> {
    let settled = dead_letter::Entity::update_many()
        .col_expr(dead_letter::Column::Status, Expr::val(status))
        .col_expr(dead_letter::Column::Reason, Expr::val(reason))
        .col_expr(dead_letter::Column::ResolvedAt, Expr::val(now))
        .filter(dead_letter::Column::EventId.eq(event))
        .filter(dead_letter::Column::Status.eq(Status::Waiting))
        .exec(tx)
        .await?;
    Ok(settled.rows_affected > 0)
}
