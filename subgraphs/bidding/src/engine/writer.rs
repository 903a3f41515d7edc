//! The one who writes a partition.
//!
//! No timer gathers commands: while a row is being committed others come, and the next row takes them all. Alone, a command
//! waits for nobody; under load the rows grow by themselves.

use std::sync::Arc;
use std::time::Duration;

use chassis::{Clock, Failure};
use matching::{Action, Command, Event, State, apply_all};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::journal::{Appended, Journal, Row};
use super::recovery::{Recovered, recover_hearing, replay_lately};
use super::view::{Tapes, View};

/// Commands in one row.
const BATCH_MAX: usize = 1_024;
/// Commands that wait for a partition; more are told that it is overloaded.
const WAITING_MAX: usize = 8_192;
/// Tries to write one row before its outcome counts as unknown.
const TRIES_MAX: u32 = 4;
/// The pause after a failed try; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest pause between two recoveries.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often to look whether orders expire, when no command comes.
const LOOK: Duration = Duration::from_secs(1);

/// What came of a command, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The row that has it.
    pub seq: u64,
    pub events: Vec<Event>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("too many commands wait for this partition")]
    Overloaded,
    /// The command may have been carried out or not: send it again with the same key.
    #[error("the outcome is not known")]
    Unknown,
    #[error("this process does not write this partition")]
    NotHere,
}

struct Waiting {
    action: Action,
    note: Vec<u8>,
    reply: oneshot::Sender<Result<Answered, Unanswered>>,
}

/// Sends commands to a partition.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Waiting>,
    view: Arc<View>,
    durable: Arc<Notify>,
}

impl Handle {
    /// Applies a command; answers when it is durable.
    pub async fn send(&self, action: Action) -> Result<Answered, Unanswered> {
        self.send_with(action, Vec::new()).await
    }

    /// [`send`](Self::send) with a note for whoever follows the journal: durable with the command, unread by the engine.
    pub async fn send_with(&self, action: Action, note: Vec<u8>) -> Result<Answered, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(Waiting { action, note, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unanswered::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Unanswered::NotHere,
        })?;
        answer.await.unwrap_or(Err(Unanswered::Unknown))
    }

    /// The books as they are in the journal.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Lets the tapes reach back beyond the newest snapshot: once, whoever asks first. Where the journal is damaged they do not.
    ///
    /// # Errors
    /// The journal cannot be read; the next who asks tries again.
    pub async fn reach_back(&self, journal: &impl Journal) -> Result<(), Failure> {
        let reach = async {
            let mut tapes = Tapes::default();
            match replay_lately(journal, self.view.row(), |events| tapes.hear(events)).await {
                Err(failure) if !is_damage(&failure) => return Err(failure),
                replayed => drop(replayed),
            }
            self.view.reach_back(&tapes);
            Ok(())
        };
        self.view.reached_back.get_or_try_init(|| reach).await.copied()
    }

    /// Resolves when a row became durable.
    pub async fn durable(&self) {
        self.durable.notified().await;
    }

    /// Whether the writer has ended.
    pub fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }
}

/// Writes one partition until it is told to stop or another takes it.
pub struct Writer<J> {
    journal: J,
    clock: Clock,
    stop: CancellationToken,
    commands: mpsc::Receiver<Waiting>,
    view: Arc<View>,
    durable: Arc<Notify>,
}

/// Why a writer ends its work on a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stopped,
    /// Another process has raised the epoch.
    Fenced,
    /// Memory may be ahead of the journal: it is dropped.
    Unknown,
    /// The engine found a fault in itself.
    Broken,
}

/// A state, the next row and who writes it.
struct Turn {
    state: State,
    seq: u64,
    epoch: u64,
}

impl<J: Journal> Writer<J> {
    pub fn new(journal: J, clock: Clock, stop: CancellationToken) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(WAITING_MAX);
        let (view, durable) = (Arc::<View>::default(), Arc::<Notify>::default());
        let handle = Handle { commands: sender, view: view.clone(), durable: durable.clone() };
        (Self { journal, clock, stop, commands, view, durable }, handle)
    }

    /// Recovers and serves, again and again.
    pub async fn run(mut self) {
        let mut pause = PAUSE;
        while !self.stop.is_cancelled() {
            match self.take().await {
                Ok(turn) => {
                    pause = PAUSE;
                    match self.serve(turn).await {
                        End::Unknown => warn!("A commit has an unknown outcome; recovering from the journal"),
                        End::Stopped => return,
                        End::Fenced => return info!("Another process writes this partition now"),
                        End::Broken => return error!("The partition stops: its engine is broken"),
                    }
                }
                Err(failure) if is_damage(&failure) => {
                    return error!(error = %failure, "The partition stops: {failure}");
                }
                Err(failure) => {
                    warn!(error = %failure, "A partition cannot be recovered yet");
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                    }
                }
            }
        }
    }

    async fn take(&self) -> Result<Turn, Failure> {
        let epoch = self.journal.take_over().await?;
        let mut tapes = Tapes::default();
        let Recovered { state, seq } =
            recover_hearing(&self.journal, None, |events| tapes.hear(events)).await?;
        self.view.reset(&state, seq, tapes);
        self.durable.notify_one();
        Ok(Turn { state, seq, epoch })
    }

    async fn serve(&mut self, mut turn: Turn) -> End {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return End::Stopped,
                taken = self.commands.recv_many(&mut waiting, BATCH_MAX) => if taken == 0 { return End::Stopped },
                () = tokio::time::sleep(LOOK) => {}
            }
            let now = self.clock.now().timestamp_micros();
            if waiting.is_empty() && !turn.state.is_due(now) {
                continue;
            }
            if let Err(end) = self.batch(&mut turn, &mut waiting, now).await {
                return end;
            }
        }
    }

    /// Applies what waits, makes it durable, then answers. Without anything that waits, time passes.
    async fn batch(&self, turn: &mut Turn, waiting: &mut Vec<Waiting>, ts: i64) -> Result<(), End> {
        let commands: Vec<Command> = match waiting.is_empty() {
            true => vec![Command { ts, action: Action::Tick }],
            false => waiting.iter().map(|waiting| Command { ts, action: waiting.action }).collect(),
        };
        let mut events = Vec::with_capacity(commands.len() * 3);
        let mut ends: Vec<usize> = Vec::with_capacity(commands.len());
        apply_all(&mut turn.state, &commands, &mut events, |_, caused| {
            ends.push(ends.last().copied().unwrap_or(0) + caused.len());
        });
        let mut row = Row::new(turn.seq + 1, turn.epoch, ts, &commands, turn.state.pulse());
        for (index, waiting) in waiting.iter().enumerate().filter(|(_, waiting)| !waiting.note.is_empty()) {
            row.note(index, &waiting.note);
        }
        let end = match turn.state.broken() {
            Some(_) => Err(End::Broken),
            None => self.commit(&row).await,
        };
        if let Err(end) = end {
            waiting.drain(..).for_each(|waiting| _ = waiting.reply.send(Err(Unanswered::Unknown)));
            return Err(end);
        }
        turn.seq = row.seq;
        metrics::counter!("souk_bidding_commands_total").increment(commands.len() as u64);
        self.view.enter(&events, row.seq);
        answer(waiting, &events, &ends, row.seq);
        self.durable.notify_one();
        Ok(())
    }

    /// Makes a row durable. A failed commit says nothing: the journal is asked, and the same row tried again.
    async fn commit(&self, row: &Row) -> Result<(), End> {
        for attempt in 0..TRIES_MAX {
            let appended = self.journal.append(row).await;
            if let Ok(Appended::Durable) = appended {
                return Ok(());
            }
            match (self.journal.row(row.seq).await, appended) {
                (Ok(Some((there, crc32))), _) if there == *row && crc32 == row.crc32() => return Ok(()),
                (Ok(Some(_)), _) | (Ok(None), Ok(_)) => return Err(End::Fenced),
                (_, Err(failure)) => warn!(error = %failure, row.seq, "Row {} could not be written", row.seq),
                (Err(_), Ok(_)) => {}
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(attempt)).await;
        }
        Err(End::Unknown)
    }
}

impl<J> Drop for Writer<J> {
    fn drop(&mut self) {
        self.view.close();
    }
}

/// Each gets the events of its own command.
fn answer(waiting: &mut Vec<Waiting>, events: &[Event], ends: &[usize], seq: u64) {
    let mut from = 0;
    for (waiting, end) in waiting.drain(..).zip(ends) {
        // Whoever has gone away finds the outcome by sending the command again.
        _ = waiting.reply.send(Ok(Answered { seq, events: events[from..*end].to_vec() }));
        from = *end;
    }
}

/// Damage does not go away by trying again.
fn is_damage(failure: &Failure) -> bool {
    failure.is::<super::recovery::Damaged>()
}
