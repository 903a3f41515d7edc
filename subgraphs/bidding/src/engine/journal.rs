//! What a partition writes down: one row for each batch of commands.

use std::future::Future;

use chassis::Failure;
use matching::{Codec, Command, Malformed};

use crate::crc32::Crc32;

/// A batch of commands, in the order in which they were applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1, without gaps.
    pub seq: u64,
    /// Of the writer.
    pub epoch: u64,
    /// When it was applied; microseconds since 1970.
    pub ts: i64,
    /// Commands in it.
    pub n: u32,
    /// The engine's pulse after them: a replay must come to the same.
    pub pulse: u64,
    /// Commands, encoded.
    pub payload: Vec<u8>,
    /// What came along with commands and is no business of the engine: see [`note`](Self::note). Empty: nothing.
    pub notes: Vec<u8>,
}

impl Row {
    pub fn new(seq: u64, epoch: u64, ts: i64, commands: &Vec<Command>, pulse: u64) -> Self {
        let mut payload = Vec::with_capacity(commands.len() * 80);
        commands.encode(&mut payload);
        Self { seq, epoch, ts, n: commands.len() as u32, pulse, payload, notes: Vec::new() }
    }

    /// Keeps `note` with the command at `index`. Call it in the order of the commands.
    pub fn note(&mut self, index: usize, note: &[u8]) {
        for number in [index, note.len()] {
            (number as u64).encode(&mut self.notes);
        }
        self.notes.extend_from_slice(note);
    }

    /// The notes that were kept, each with the index of its command.
    pub fn read_notes(&self) -> Result<Vec<(usize, &[u8])>, Malformed> {
        let (mut rest, mut notes) = (self.notes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (index, length) = (u64::decode(&mut rest)?, u64::decode(&mut rest)?);
            let (note, after) = rest.split_at_checked(length as usize).ok_or(Malformed)?;
            notes.push((index as usize, note));
            rest = after;
        }
        Ok(notes)
    }

    pub fn commands(&self) -> Result<Vec<Command>, Malformed> {
        Vec::decode_all(&self.payload)
    }

    /// CRC32 over all of it.
    pub fn crc32(&self) -> u32 {
        let mut crc = Crc32::default();
        for number in [self.seq, self.epoch, self.ts as u64, u64::from(self.n), self.pulse] {
            crc.add(&number.to_be_bytes());
        }
        crc.add(&self.payload);
        crc.add(&self.notes);
        crc.finish()
    }
}

/// A whole state after a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last row in it.
    pub seq: u64,
    pub digest: u64,
    /// The state, encoded.
    pub payload: Vec<u8>,
}

impl Snapshot {
    pub fn crc32(&self) -> u32 {
        let mut crc = Crc32::default();
        crc.add(&self.seq.to_be_bytes());
        crc.add(&self.digest.to_be_bytes());
        crc.add(&self.payload);
        crc.finish()
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    Durable,
    /// Somebody else writes this partition now; the row is not there.
    Fenced,
}

/// Where one partition's rows are kept.
pub trait Journal: Send + Sync + 'static {
    /// Raises the epoch: whoever wrote with an older one can append no more. Rows behind a gap were never acknowledged and go.
    fn take_over(&self) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Writes a row if its epoch is the present one. A failure says nothing about whether the row is there.
    fn append(&self, row: &Row) -> impl Future<Output = Result<Appended, Failure>> + Send;

    /// The row with this number as it lies there, with the CRC written beside it.
    fn row(&self, seq: u64) -> impl Future<Output = Result<Option<(Row, u32)>, Failure>> + Send;

    /// Rows after `seq`, at most `limit`, in order.
    fn rows(&self, after: u64, limit: u64) -> impl Future<Output = Result<Vec<(Row, u32)>, Failure>> + Send;

    /// The newest snapshots up to `seq`, the newest first, each with its CRC.
    fn snapshots(&self, seq: u64) -> impl Future<Output = Result<Vec<(Snapshot, u32)>, Failure>> + Send;

    /// Keeps a snapshot and lets old ones go.
    fn keep(&self, snapshot: &Snapshot) -> impl Future<Output = Result<(), Failure>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_with_the_index_of_their_command() {
        let mut row = Row::new(1, 1, 0, &Vec::new(), 0);
        for (index, note) in [(0, "first"), (3, ""), (300, "last")] {
            row.note(index, note.as_bytes());
        }
        let notes = row.read_notes().unwrap();
        assert_eq!(notes, [(0, "first".as_bytes()), (3, "".as_bytes()), (300, "last".as_bytes())]);
        row.notes.pop();
        assert_eq!(row.read_notes(), Err(Malformed));
    }
}
