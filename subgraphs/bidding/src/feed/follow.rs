//! A market's feed, as one client hears it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chassis::Failure;
use futures::Stream;
use matching::MarketId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::reader::{Answers, Delta, Next, Reader, Snapshot};
use crate::engine::{Board, Handle, Journal, STEPS_MAX};

/// After how long without news a client is told that there is none.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What a client wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Best prices of each side.
    pub levels: usize,
    /// The shortest time between two messages.
    pub interval_min: Duration,
    /// What it has already; `None`: nothing.
    pub after: Option<u64>,
}

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    Snapshot(Snapshot),
    Delta(Arc<Delta>),
    /// Nothing happened for a while.
    Heartbeat {
        seq: u64,
    },
    /// Trades after `seq` were missed. Nothing follows.
    Gap {
        seq: u64,
    },
}

/// One client of a market.
struct Follow {
    handle: Handle,
    market: MarketId,
    news: watch::Receiver<u64>,
    answers: Arc<Mutex<Answers>>,
    reader: Reader,
    interval_min: Duration,
    /// What is said before anything else.
    first: Option<Snapshot>,
    said_at: Instant,
    is_over: bool,
}

/// Follows a market: a snapshot, or what was missed since the client was here; then each change. Ends when another process
/// takes the market over. `None`: there is no such market here. `answers` are those of this market, shared by its clients.
///
/// # Errors
/// The journal cannot be read.
pub async fn follow<J: Journal>(
    handle: Handle,
    journal: &J,
    market: MarketId,
    terms: Terms,
    answers: Arc<Mutex<Answers>>,
) -> Result<Option<impl Stream<Item = Update> + Send + use<J>>, Failure> {
    if let Some(after) = terms.after
        && handle.view().look(market, |board| is_before_the_tape(board, after)) == Some(true)
    {
        handle.reach_back(journal).await?;
    }
    let Some(news) = handle.view().watch(market) else { return Ok(None) };
    let start = |board: &Board| begin(board, &terms, &mut lock(&answers));
    let Some((reader, first)) = handle.view().look(market, start) else { return Ok(None) };
    let interval_min = terms.interval_min;
    let (said_at, is_over) = (Instant::now(), false);
    let follow = Follow { handle, market, news, answers, reader, interval_min, first, said_at, is_over };
    Ok(Some(futures::stream::unfold(
        follow,
        |mut follow| async move { Some((follow.next().await?, follow)) },
    )))
}

/// Whether the journal may know what the tape does not.
fn is_before_the_tape(board: &Board, after: u64) -> bool {
    after < board.tape.first() - 1 && board.picture.seq - after <= STEPS_MAX as u64
}

fn begin(board: &Board, terms: &Terms, answers: &mut Answers) -> (Reader, Option<Snapshot>) {
    match terms.after.and_then(|after| Reader::resume(board, terms.levels, after)) {
        Some(reader) => (reader, None),
        None => {
            let (reader, snapshot) = Reader::start(board, answers, terms.levels);
            (reader, Some(snapshot))
        }
    }
}

impl Follow {
    async fn next(&mut self) -> Option<Update> {
        if self.is_over {
            return None;
        }
        if let Some(snapshot) = self.first.take() {
            return Some(Update::Snapshot(snapshot));
        }
        let heartbeat = tokio::time::sleep_until(Instant::now() + HEARTBEAT);
        tokio::pin!(heartbeat);
        loop {
            tokio::time::sleep_until(self.said_at + self.interval_min).await;
            self.news.mark_unchanged();
            if let Some(update) = self.look()? {
                self.said_at = Instant::now();
                return Some(update);
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = &mut heartbeat => {
                    return Some(Update::Heartbeat { seq: self.reader.seq() });
                }
            }
        }
    }

    /// What is new, if something is; the end, if the market is gone.
    fn look(&mut self) -> Option<Option<Update>> {
        let (reader, answers) = (&mut self.reader, &self.answers);
        let next = self.handle.view().look(self.market, |board| reader.advance(board, &mut lock(answers)))?;
        Some(match next {
            Next::Nothing => None,
            Next::Delta(delta) => Some(Update::Delta(delta)),
            Next::Missed => {
                self.is_over = true;
                Some(Update::Gap { seq: self.reader.seq() })
            }
        })
    }
}

fn lock(answers: &Mutex<Answers>) -> std::sync::MutexGuard<'_, Answers> {
    answers.lock().expect("no code panics while it holds this lock")
}
