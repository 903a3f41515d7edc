//! Saying something to other services: a row in the transaction that makes it true.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use contract::{Aggregate, Envelope, Event, EventId};
use entity::shared::outbox;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Database, Failure, Tx, telemetry};

/// Rows of one insert: SQLite takes at most 32,766 values a statement.
const ROWS_MAX: usize = 1_000;

/// Says `event` about `aggregate`. Take the aggregate's version under its row lock (the update that changed it), before
/// this call: deliveries keep the order of these rows. They are written together, right before the commit.
pub async fn say(
    tx: &Tx,
    now: DateTime<Utc>,
    aggregate: Aggregate,
    event: impl Into<Event>,
) -> Result<(), Failure> {
    say_all(tx, now, vec![(aggregate, event.into())]).await
}

/// [`say`] for many events, in their order.
pub async fn say_all(tx: &Tx, now: DateTime<Utc>, events: Vec<(Aggregate, Event)>) -> Result<(), Failure> {
    let traceparent = telemetry::traceparent();
    for (aggregate, event) in events {
        tx.remember(Envelope {
            id: EventId::new(),
            schema_version: event.schema_version(),
            aggregate,
            occurred_at: now,
            traceparent: traceparent.clone(),
            event,
        });
    }
    Ok(())
}

/// Writes what a transaction has said.
pub(crate) async fn write(tx: &Tx, said: &[Arc<Envelope>]) -> Result<(), Failure> {
    for chunk in said.chunks(ROWS_MAX) {
        let rows = chunk.iter().map(|envelope| row(envelope)).collect::<Result<Vec<_>, _>>()?;
        outbox::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The aggregate of an event, named in one line.
pub fn about(kind: &str, id: impl Into<uuid::Uuid>, version: i64) -> Aggregate {
    Aggregate { kind: kind.into(), id: id.into(), version }
}

fn row(envelope: &Envelope) -> Result<outbox::ActiveModel, Failure> {
    Ok(outbox::ActiveModel {
        id: Set(envelope.id),
        kind: Set(envelope.event.kind().into()),
        aggregate_kind: Set(envelope.aggregate.kind.clone()),
        aggregate_id: Set(envelope.aggregate.id),
        aggregate_version: Set(envelope.aggregate.version),
        envelope: Set(serde_json::to_string(envelope)?),
        occurred_at: Set(envelope.occurred_at),
        attempts: Set(0),
        next_attempt_at: Set(envelope.occurred_at),
        ..Default::default()
    })
}

/// Marks what was said since a time as unpublished, so that the relay delivers it again. Consumers that have applied it
/// skip it. Returns how many events that is.
pub async fn replay(db: &Database, since: DateTime<Utc>) -> Result<u64, Failure> {
    let unpublished = outbox::Entity::update_many()
        .col_expr(outbox::Column::PublishedAt, Expr::val(None::<DateTime<Utc>>))
        .col_expr(outbox::Column::Attempts, Expr::val(0))
        .filter(outbox::Column::OccurredAt.gte(since))
        .exec(db.write())
        .await?;
    Ok(unpublished.rows_affected)
}
