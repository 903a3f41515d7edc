//! The latest steps of a market, from which somebody who was away for a moment catches up.

use std::collections::VecDeque;

use matching::{
    Amended, BookEvent, Cancelled, Change, Expired, Matched, Price, Quantity, Rested, Side, Timestamp,
    TradeId,
};

/// Steps that are kept of each market.
pub const STEPS_MAX: usize = 4_096;

/// What an event did that everybody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing in the book changed.
    Quiet,
    /// What rests at one price became more or less.
    Shift(Shift),
    /// Pieces changed hands; they rested until then.
    Traded(Trade),
}

/// A change of what rests at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub side: Side,
    pub price: Price,
    /// Pieces more; negative: fewer.
    pub by: i64,
}

/// A match, without who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The first piece.
    pub trade: TradeId,
    pub price: Price,
    pub quantity: Quantity,
    /// The side that rested.
    pub maker_side: Side,
    pub ts: Timestamp,
}

impl Step {
    pub fn of(event: &BookEvent) -> Self {
        let shift = |side, price, by| Self::Shift(Shift { side, price, by });
        match event.change {
            Change::Rested(Rested { side, price, quantity, .. }) => shift(side, price, quantity.into()),
            Change::Cancelled(Cancelled { resting: true, side, price, quantity, .. })
            | Change::Expired(Expired { side, price, quantity, .. }) => {
                shift(side, price, -i64::from(quantity))
            }
            Change::Amended(Amended {
                side, price_before, remaining_before, remaining, kept_place, ..
            }) => {
                let stays = if kept_place { i64::from(remaining) } else { 0 };
                shift(side, price_before, stays - i64::from(remaining_before))
            }
            Change::Matched(Matched { trade, price, quantity, maker_side, .. }) => {
                Self::Traded(Trade { trade, price, quantity, maker_side, ts: event.ts })
            }
            Change::Cancelled(_)
            | Change::Placed(_)
            | Change::PaymentFailed(_)
            | Change::Returned(_)
            | Change::RulesSet(_) => Self::Quiet,
        }
    }

    /// What it changed in the book.
    pub fn shift(&self) -> Option<Shift> {
        match *self {
            Self::Quiet => None,
            Self::Shift(shift) => Some(shift),
            Self::Traded(Trade { maker_side, price, quantity, .. }) => {
                Some(Shift { side: maker_side, price, by: -i64::from(quantity) })
            }
        }
    }

    pub fn trade(&self) -> Option<&Trade> {
        match self {
            Self::Traded(trade) => Some(trade),
            _ => None,
        }
    }
}

/// Steps without gaps, the latest [`STEPS_MAX`].
#[derive(Clone, Debug)]
pub struct Tape {
    /// Of the next step.
    next: u64,
    steps: VecDeque<Step>,
}

impl Tape {
    /// Knows nothing of what was until `seq`.
    pub fn after(seq: u64) -> Self {
        Self { next: seq + 1, steps: VecDeque::new() }
    }

    /// Of the latest step that was seen.
    pub fn seq(&self) -> u64 {
        self.next - 1
    }

    /// Of the first step that is kept.
    pub fn first(&self) -> u64 {
        self.next - self.steps.len() as u64
    }

    /// Adds the step of an event. One that was seen before is skipped; after a gap the tape begins anew.
    pub fn push(&mut self, seq: u64, step: Step) {
        if seq < self.next {
            return;
        }
        if seq > self.next {
            *self = Self::after(seq - 1);
        }
        if self.steps.len() == STEPS_MAX {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        self.next += 1;
    }

    /// Goes on with what `later` has.
    pub fn join(&mut self, later: Self) {
        let first = later.first();
        if later.next <= self.next {
            return;
        }
        for (seq, step) in (first..).zip(later.steps) {
            self.push(seq, step);
        }
    }

    /// Puts `older`, which ends at or behind this one's beginning, before it.
    pub fn reach_back(&mut self, older: &Self) {
        while self.steps.len() < STEPS_MAX
            && let Some(step) = older.step(self.first() - 1)
        {
            self.steps.push_front(step);
        }
    }

    /// Steps after `seq`, in order. `None`: not all of them are kept, or `seq` is yet to come.
    pub fn since(&self, seq: u64) -> Option<impl DoubleEndedIterator<Item = &Step>> {
        let known = self.first()..=self.next;
        let from = seq.checked_add(1).filter(|from| known.contains(from))? - self.first();
        Some(self.steps.range(from as usize..))
    }

    /// The latest match that is kept.
    pub fn last_trade(&self) -> Option<&Trade> {
        self.steps.iter().rev().find_map(Step::trade)
    }

    fn step(&self, seq: u64) -> Option<Step> {
        self.steps.get(seq.checked_sub(self.first())? as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(by: i64) -> Step {
        Step::Shift(Shift { side: Side::Bid, price: 100, by })
    }

    fn tape(seqs: std::ops::RangeInclusive<u64>) -> Tape {
        let mut tape = Tape::after(seqs.start() - 1);
        seqs.for_each(|seq| tape.push(seq, step(seq as i64)));
        tape
    }

    fn since(tape: &Tape, seq: u64) -> Option<Vec<i64>> {
        Some(tape.since(seq)?.map(|step| step.shift().unwrap().by).collect())
    }

    #[test]
    fn what_is_kept_is_read_from_any_place() {
        let tape = tape(5..=8);
        for (seq, steps) in [
            (3, None),
            (4, Some(vec![5, 6, 7, 8])),
            (7, Some(vec![8])),
            (8, Some(vec![])),
            (9, None),
            (u64::MAX, None),
        ] {
            assert_eq!(since(&tape, seq), steps, "after {seq}");
        }
    }

    #[test]
    fn the_oldest_steps_make_room() {
        let tape = tape(1..=5_000);
        assert_eq!((tape.first(), tape.seq()), (905, 5_000));
        assert!(tape.since(903).is_none());
        assert_eq!(tape.since(904).unwrap().count(), STEPS_MAX);
    }

    #[test]
    fn a_step_that_comes_twice_counts_once_and_a_gap_begins_anew() {
        let mut tape = tape(1..=4);
        tape.push(3, step(77));
        assert_eq!(since(&tape, 0), Some(vec![1, 2, 3, 4]));
        tape.push(7, step(7));
        assert_eq!((since(&tape, 4), since(&tape, 6)), (None, Some(vec![7])));
    }

    #[test]
    fn tapes_are_joined_where_they_meet() {
        for (later, joined) in [
            (tape(3..=6), (1, 6)),
            (tape(5..=6), (1, 6)),
            (tape(1..=3), (1, 4)),
            (tape(6..=9), (6, 9)),
            (Tape::after(9), (1, 4)),
        ] {
            let mut tape = tape(1..=4);
            tape.join(later);
            assert_eq!((tape.first(), tape.seq()), joined);
        }
        for (older, first) in [(tape(2..=7), 2), (tape(2..=3), 5), (tape(4..=4), 4), (Tape::after(9), 5)] {
            let mut tape = tape(5..=8);
            tape.reach_back(&older);
            assert_eq!((tape.first(), tape.seq()), (first, 8));
            let steps = since(&tape, first - 1).unwrap();
            assert_eq!(steps, (first as i64..=8).collect::<Vec<_>>());
        }
    }
}
