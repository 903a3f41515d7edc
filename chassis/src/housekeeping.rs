//! Rows that have done their duty go: each service runs [`job`].

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use entity::shared::{idempotency, inbox, outbox};
use futures::FutureExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Env, Failure, Job};

/// Published events are kept this long, so that a wiped broker can be refilled.
const OUTBOX_KEPT: TimeDelta = TimeDelta::days(7);
/// Longer than an event can be replayed: who forgets too early applies twice.
const INBOX_KEPT: TimeDelta = TimeDelta::days(14);
/// How long an idempotency key answers.
const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::days(2);
/// How often to look.
const PAUSE: Duration = Duration::from_secs(3_600);

/// Removes what is older than it need be.
pub fn job(env: &Env) -> Job {
    let env = env.clone();
    Job { name: "housekeeping", pause: PAUSE, run: Arc::new(move || sweep(env.clone()).boxed()) }
}

/// One round of the [`job`].
pub async fn sweep(env: Env) -> Result<(), Failure> {
    let (db, now) = (env.db.write(), env.clock.now());
    let published = outbox::Column::PublishedAt.lt(now - OUTBOX_KEPT);
    outbox::Entity::delete_many().filter(published).exec(db).await?;
    let applied = inbox::Column::AppliedAt.lt(now - INBOX_KEPT);
    inbox::Entity::delete_many().filter(applied).exec(db).await?;
    let answered = idempotency::Column::CreatedAt.lt(now - IDEMPOTENCY_KEPT);
    idempotency::Entity::delete_many().filter(answered).exec(db).await?;
    Ok(())
}
