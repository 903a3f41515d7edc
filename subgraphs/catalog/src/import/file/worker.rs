//! Imports files that came in requests, a batch at a time. Whoever dies is followed by somebody who goes on.

use chassis::{Env, Failure, lease};
use chrono::TimeDelta;
use contract::ImportJobId;
use entity::catalog::import_chunk;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tracing::{info, warn};
use uuid::Uuid;

use super::batches::Batch;
use super::job;
use crate::search::Search;

/// How long a worker that died keeps others waiting.
const LEASE: TimeDelta = TimeDelta::seconds(15);
/// The name of the right to work.
const NAME: &str = "imports";

/// Applies the batches that wait, the oldest job first, until none is left or the process stops. A batch that fails comes
/// again in the next round, and does not keep other jobs waiting.
pub(crate) async fn run(env: Env, search: Search, holder: Uuid) -> Result<(), Failure> {
    let mut failed = vec![];
    while !env.tasks.stopping().is_cancelled() {
        let Some((id, batch)) = next(&env, &failed).await? else { break };
        if !lease::hold(&env.db, NAME, holder, env.clock.now(), LEASE).await? {
            return Ok(());
        }
        let job = match job::step(&env, Some(&search), id, &batch).await {
            Ok(job) => job,
            Err(failure) => {
                warn!(import.id = %id, error = %failure, "Batch {} of {id} comes again", batch.position);
                failed.push(id);
                continue;
            }
        };
        if batch.last {
            info!(import.id = %id, rows = job.rows_done, refused = job.rows_refused, "Import {id} is done");
        }
    }
    lease::release(&env.db, NAME, holder).await
}

/// The oldest batch of a job that has not failed in this round.
async fn next(env: &Env, failed: &[ImportJobId]) -> Result<Option<(ImportJobId, Batch)>, Failure> {
    let waiting = import_chunk::Entity::find()
        .filter(import_chunk::Column::JobId.is_not_in(failed.iter().copied()))
        .order_by_asc(import_chunk::Column::JobId)
        .order_by_asc(import_chunk::Column::Position);
    let Some(chunk) = waiting.one(env.db.read()).await? else {
        return Ok(None);
    };
    Ok(Some((chunk.job_id, serde_json::from_str(&chunk.batch)?)))
}
