//! One subscriber's place in a market, and what it is told next.

use std::sync::Arc;

use matching::MarketRules;

use super::ladder::Ladder;
use crate::engine::{Board, Trade};

/// Trades that one message has at most: a client with more of them before it is too slow for this feed.
pub const TRADES_MAX: usize = 256;
/// Answers that are kept for others at the same place.
const ANSWERS_MAX: usize = 16;

/// A market as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub seq: u64,
    pub ladder: Arc<Ladder>,
    pub checksum: u32,
    pub rules: MarketRules,
}

/// What happened between two sequences. For whoever is at `prev_seq`, and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    pub prev_seq: u64,
    pub first_seq: u64,
    pub seq: u64,
    /// New quantities of prices; 0: the price is not among the best any more.
    pub changes: Ladder,
    /// Each with its sequence, in order.
    pub trades: Vec<(u64, Trade)>,
    /// Of the ladder after it.
    pub checksum: u32,
}

/// What a reader that looks again finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Nothing,
    Delta(Arc<Delta>),
    /// Trades were missed. The reader stays where it was and is of no use any more.
    Missed,
}

/// What was worked out for a market's newest sequence, for the next one at the same place.
#[derive(Debug, Default)]
pub struct Answers {
    seq: u64,
    ladders: Vec<(usize, Arc<Ladder>)>,
    /// By the reader's sequence and number of levels.
    deltas: Vec<((u64, usize), Arc<Delta>)>,
}

impl Answers {
    fn turn_to(&mut self, seq: u64) {
        if self.seq != seq {
            *self = Self { seq, ..Self::default() };
        }
    }

    fn ladder(&mut self, board: &Board, levels: usize) -> Arc<Ladder> {
        self.turn_to(board.picture.seq);
        if let Some((_, ladder)) = self.ladders.iter().find(|(known, _)| *known == levels) {
            return ladder.clone();
        }
        let ladder = Arc::new(Ladder::of(&board.picture, levels));
        if self.ladders.len() < ANSWERS_MAX {
            self.ladders.push((levels, ladder.clone()));
        }
        ladder
    }

    fn delta(&self, seq: u64, levels: usize) -> Option<Arc<Delta>> {
        let found = self.deltas.iter().find(|(place, _)| *place == (seq, levels));
        found.map(|(_, delta)| delta.clone())
    }

    fn keep(&mut self, levels: usize, delta: &Arc<Delta>) {
        if self.deltas.len() < ANSWERS_MAX {
            self.deltas.push(((delta.prev_seq, levels), delta.clone()));
        }
    }
}

/// What one client has been told.
#[derive(Clone, Debug)]
pub struct Reader {
    levels: usize,
    seq: u64,
    shown: Arc<Ladder>,
}

impl Reader {
    /// Begins with the market as it is.
    pub fn start(board: &Board, answers: &mut Answers, levels: usize) -> (Self, Snapshot) {
        let ladder = answers.ladder(board, levels);
        let seq = board.picture.seq;
        let checksum = ladder.checksum();
        let snapshot = Snapshot { seq, ladder: ladder.clone(), checksum, rules: board.picture.rules };
        (Self { levels, seq, shown: ladder }, snapshot)
    }

    /// Goes on where a client stopped that had been told everything up to `seq`, with as many levels as now. `None`: that is
    /// too long ago, or yet to come.
    pub fn resume(board: &Board, levels: usize, seq: u64) -> Option<Self> {
        let trades = board.tape.since(seq)?.filter(|step| step.trade().is_some());
        if trades.take(TRADES_MAX + 1).count() > TRADES_MAX {
            return None;
        }
        let mut picture = board.picture.clone();
        for step in board.tape.since(seq)?.rev() {
            if let Some(mut shift) = step.shift() {
                shift.by = -shift.by;
                picture.shift(shift);
            }
        }
        Some(Self { levels, seq, shown: Arc::new(Ladder::of(&picture, levels)) })
    }

    /// Of what the client was told last.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Looks again.
    pub fn advance(&mut self, board: &Board, answers: &mut Answers) -> Next {
        let seq = board.picture.seq;
        if seq <= self.seq {
            return Next::Nothing;
        }
        let now = answers.ladder(board, self.levels);
        let delta = match answers.delta(self.seq, self.levels) {
            Some(delta) => delta,
            None => {
                let Some(delta) = self.delta(board, &now) else { return Next::Missed };
                let delta = Arc::new(delta);
                answers.keep(self.levels, &delta);
                delta
            }
        };
        (self.seq, self.shown) = (seq, now);
        Next::Delta(delta)
    }

    fn delta(&self, board: &Board, now: &Ladder) -> Option<Delta> {
        let steps = (self.seq + 1..).zip(board.tape.since(self.seq)?);
        let trades = steps.filter_map(|(seq, step)| Some((seq, *step.trade()?)));
        let trades: Vec<(u64, Trade)> = trades.take(TRADES_MAX + 1).collect();
        (trades.len() <= TRADES_MAX).then(|| Delta {
            prev_seq: self.seq,
            first_seq: self.seq + 1,
            seq: board.picture.seq,
            changes: self.shown.changes(now),
            trades,
            checksum: now.checksum(),
        })
    }
}
