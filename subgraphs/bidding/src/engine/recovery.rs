//! From rows to a state: the newest snapshot that is whole, and every row after it.

use chassis::Failure;
use matching::{Broken, Event, Limits, State, apply_all};
use tracing::warn;

use super::journal::{Journal, Row, Snapshot};

/// Rows read at once.
const PAGE: u64 = 256;

/// Rows that cannot be what was written. Whoever owns the data must look: going on would lose acknowledged orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    #[error("journal row {seq} does not match its checksum")]
    Checksum { seq: u64 },
    #[error("journal row {seq} is not what the engine writes")]
    Malformed { seq: u64 },
    #[error("journal row {seq} follows {after}")]
    Gap { after: u64, seq: u64 },
    #[error("after journal row {seq} the engine's pulse is another than when it was written")]
    Pulse { seq: u64 },
    #[error("journal row {seq} broke an invariant: {broken}")]
    Broken { seq: u64, broken: Broken },
}

/// A state and the last row in it.
pub struct Recovered {
    pub state: State,
    pub seq: u64,
}

impl Recovered {
    /// Before the first row.
    pub fn new() -> Self {
        Self { state: State::new(Limits::default()), seq: 0 }
    }
}

impl Default for Recovered {
    fn default() -> Self {
        Self::new()
    }
}

/// The state up to row `until`, or to the last row.
pub async fn recover(journal: &impl Journal, until: Option<u64>) -> Result<Recovered, Failure> {
    recover_hearing(journal, until, |_| {}).await
}

/// [`recover`], and what happened since the snapshot that it began with.
pub(super) async fn recover_hearing(
    journal: &impl Journal,
    until: Option<u64>,
    hear: impl FnMut(&[Event]),
) -> Result<Recovered, Failure> {
    let newest = newest(journal, until.unwrap_or(i64::MAX as u64)).await?;
    replay_on(journal, newest, until, hear).await
}

/// Everything that happened up to row `until`, from the snapshot before the newest one on, or from the beginning.
pub(super) async fn replay_lately(
    journal: &impl Journal,
    until: u64,
    hear: impl FnMut(&[Event]),
) -> Result<(), Failure> {
    let kept = journal.snapshots(until).await?;
    let before = kept.iter().skip(1).find_map(|(snapshot, crc32)| {
        read(snapshot, *crc32).map(|state| Recovered { state, seq: snapshot.seq })
    });
    replay_on(journal, before.unwrap_or_default(), Some(until), hear).await.map(drop)
}

async fn replay_on(
    journal: &impl Journal,
    mut at: Recovered,
    until: Option<u64>,
    mut hear: impl FnMut(&[Event]),
) -> Result<Recovered, Failure> {
    let mut events = Vec::new();
    loop {
        let wanted = until.map_or(PAGE, |until| PAGE.min(until - at.seq));
        let rows = if wanted == 0 { Vec::new() } else { journal.rows(at.seq, wanted).await? };
        if rows.is_empty() {
            return Ok(at);
        }
        for (row, crc32) in &rows {
            replay(&mut at, row, *crc32, &mut events)?;
            hear(&events);
            events.clear();
        }
        // A long replay lets others run.
        tokio::task::yield_now().await;
    }
}

/// Applies a row as it lies in the journal and makes sure that it does what it did.
pub fn replay(at: &mut Recovered, row: &Row, crc32: u32, events: &mut Vec<Event>) -> Result<(), Damaged> {
    replay_each(at, row, crc32, events, |_, _| {})
}

/// [`replay`] that tells what each command of the row led to.
pub(super) fn replay_each(
    at: &mut Recovered,
    row: &Row,
    crc32: u32,
    events: &mut Vec<Event>,
    applied: impl FnMut(usize, &[Event]),
) -> Result<(), Damaged> {
    let seq = row.seq;
    if seq != at.seq + 1 {
        return Err(Damaged::Gap { after: at.seq, seq });
    }
    if row.crc32() != crc32 {
        return Err(Damaged::Checksum { seq });
    }
    let commands = row.commands().map_err(|_| Damaged::Malformed { seq })?;
    if commands.len() != row.n as usize {
        return Err(Damaged::Malformed { seq });
    }
    apply_all(&mut at.state, &commands, events, applied);
    if let Some(broken) = at.state.broken() {
        return Err(Damaged::Broken { seq, broken });
    }
    if at.state.pulse() != row.pulse {
        return Err(Damaged::Pulse { seq });
    }
    at.seq = seq;
    Ok(())
}

/// The newest snapshot that is whole. The journal has every row, so a damaged one costs time and nothing else.
async fn newest(journal: &impl Journal, until: u64) -> Result<Recovered, Failure> {
    for (snapshot, crc32) in journal.snapshots(until).await? {
        let seq = snapshot.seq;
        match read(&snapshot, crc32) {
            Some(state) => return Ok(Recovered { state, seq }),
            None => warn!(snapshot.seq = seq, "The snapshot at row {seq} is damaged; using an older one"),
        }
    }
    Ok(Recovered::new())
}

fn read(snapshot: &Snapshot, crc32: u32) -> Option<State> {
    let is_whole = snapshot.crc32() == crc32 && matching::digest_of(&snapshot.payload) == snapshot.digest;
    if is_whole { State::decode(&snapshot.payload).ok() } else { None }
}
