//! Hearing what other services said: a consumer applies a batch and its inbox rows in one transaction.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use contract::{Envelope, EventId};
use entity::shared::{dead_letter, inbox};
use futures::future::BoxFuture;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};

use crate::{Clock, Database, Env, Failure, Tx, tx};

type Handle = Arc<
    dyn for<'c> Fn(&'c Tx, DateTime<Utc>, &'c [Envelope]) -> BoxFuture<'c, Result<(), Failure>> + Send + Sync,
>;

/// A subgraph's ear: what it listens for and what it does about it.
#[derive(Clone)]
pub struct Consumer {
    /// Part of the key of its inbox rows: never rename it.
    pub name: &'static str,
    /// The kinds of events it wants, such as `catalog.offer_changed`.
    pub hears: &'static [&'static str],
    db: Database,
    clock: Clock,
    handle: Handle,
}

impl Consumer {
    /// `handle` gets only events that this consumer has not applied yet, in order, inside the transaction that records
    /// them as applied. A failure rolls all of it back and the batch comes again.
    pub fn new<F>(env: &Env, name: &'static str, hears: &'static [&'static str], handle: F) -> Self
    where
        F: for<'c> Fn(&'c Tx, DateTime<Utc>, &'c [Envelope]) -> BoxFuture<'c, Result<(), Failure>>
            + Send
            + Sync
            + 'static,
    {
        Self { name, hears, db: env.db.clone(), clock: env.clock.clone(), handle: Arc::new(handle) }
    }

    /// The service whose ear this is.
    pub fn service(&self) -> &'static str {
        self.db.service()
    }

    pub fn wants(&self, event: &Envelope) -> bool {
        self.hears.contains(&event.event.kind())
    }

    /// Applies what is new in `batch`, all or nothing.
    pub async fn deliver(&self, batch: Vec<Envelope>) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        tx::apply(&self.db, async |tx| {
            let fresh = self.record(tx, now, batch).await?;
            match fresh.is_empty() {
                true => Ok(()),
                false => (self.handle)(tx, now, &fresh).await,
            }
        })
        .await
    }

    /// Records `batch` as applied; what of it was not applied before. The table decides: of two deliveries at once, the
    /// second waits for the first one's end.
    async fn record(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        batch: Vec<Envelope>,
    ) -> Result<Vec<Envelope>, Failure> {
        let rows = batch.iter().map(|event| inbox::ActiveModel {
            consumer: Set(self.name.into()),
            event_id: Set(event.id),
            applied_at: Set(now),
            traceparent: Set(event.traceparent.clone()),
        });
        let recorded: Vec<(String, EventId)> = inbox::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_with_returning_keys(tx)
            .await?;
        let mut fresh: HashSet<EventId> = recorded.into_iter().map(|(_, event)| event).collect();
        Ok(batch.into_iter().filter(|event| fresh.remove(&event.id)).collect())
    }

    /// Gives an event up: it waits for an operator, and what comes after it goes on.
    pub(crate) async fn bury(
        &self,
        event: &Envelope,
        attempts: i32,
        failure: &Failure,
    ) -> Result<(), Failure> {
        let letter = dead_letter::Model {
            consumer: self.name.into(),
            event_id: event.id,
            kind: event.event.kind().into(),
            envelope: serde_json::to_string(event)?,
            error: failure.to_string(),
            attempts,
            failed_at: self.clock.now(),
            status: dead_letter::Status::Waiting,
            reason: None,
            resolved_at: None,
        };
        dead_letter::Entity::insert(letter.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(self.db.write())
            .await?;
        Ok(())
    }
}
