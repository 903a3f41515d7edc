//! Follows a journal beside its writer: a replay that keeps rows and takes snapshots, so that no answer waits for either.

use chassis::Failure;
use matching::Event;

use super::journal::{Journal, Snapshot};
use super::projection::Projection;
use super::recovery::{Recovered, recover, replay};

/// Rows of the journal in one transaction of the projection.
const ROWS_MAX: u64 = 64;
/// Rows between two snapshots.
const SNAPSHOT_EVERY: u64 = 1_000;

/// One partition's follower. Losing it loses nothing: it starts again from the watermark.
pub struct Follower<J> {
    journal: J,
    projection: Projection,
    at: Option<Recovered>,
    snapshot_every: u64,
}

impl<J: Journal> Follower<J> {
    pub fn new(journal: J, projection: Projection) -> Self {
        Self { journal, projection, at: None, snapshot_every: SNAPSHOT_EVERY }
    }

    /// Takes snapshots after another number of rows.
    pub fn with_snapshots_every(self, rows: u64) -> Self {
        Self { snapshot_every: rows, ..self }
    }

    /// Projects what is new, at most one transaction; whether there may be more.
    pub async fn turn(&mut self) -> Result<bool, Failure> {
        // A failure in the middle leaves nothing here: the next turn starts from what is durable.
        let mut at = match self.at.take() {
            Some(at) => at,
            None => recover(&self.journal, Some(self.projection.watermark().await?)).await?,
        };
        let before = at.seq;
        let rows = self.journal.rows(before, ROWS_MAX).await?;
        let mut events: Vec<Event> = Vec::new();
        for (row, crc32) in &rows {
            replay(&mut at, row, *crc32, &mut events)?;
        }
        if !rows.is_empty() {
            self.projection.enter(before, at.seq, &events).await?;
        }
        if at.seq / self.snapshot_every > before / self.snapshot_every {
            self.journal.keep(&snapshot(&at)).await?;
        }
        self.at = Some(at);
        Ok(rows.len() as u64 == ROWS_MAX)
    }
}

fn snapshot(at: &Recovered) -> Snapshot {
    let payload = at.state.encode();
    Snapshot { seq: at.seq, digest: matching::digest_of(&payload), payload }
}
