//! The rows of a file in batches, each row once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::records::{BadFile, Format, Record, Records};
use super::row::{Row, check_header};
use super::{BATCH, Code, Problem};

/// Rows that are applied in one transaction, and what was wrong with others among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Which batch of the file: the first is 0.
    pub position: i64,
    pub rows: Vec<Record>,
    /// Of records that are no rows.
    pub problems: Vec<Problem>,
    /// Whether the file ends with it.
    pub last: bool,
}

impl Batch {
    /// How many rows of the file it is about.
    pub fn len(&self) -> usize {
        self.rows.len() + self.problems.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Cuts a file into batches: always the same ones.
pub struct Batches<R> {
    records: Records<R>,
    /// The line of each variant and offer that was seen, by a hash of what it is.
    seen: HashMap<u64, u64>,
    position: i64,
    ended: bool,
}

impl<R: BufRead> Batches<R> {
    /// # Errors
    /// The file cannot be read, or its header cannot be understood.
    pub fn new(input: R, format: Format) -> Result<Self, BadFile> {
        let records = Records::new(input, format, check_header)?;
        Ok(Self { records, seen: HashMap::new(), position: 0, ended: false })
    }

    /// The next batch; the last one may be empty. None: it was the last.
    pub fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        let mut batch = Batch { position: self.position, ..Default::default() };
        while batch.len() < BATCH {
            match self.records.next()? {
                None => {
                    self.ended = true;
                    break;
                }
                Some(Err(problem)) => batch.problems.push(problem),
                Some(Ok(record)) => match self.seen_before(&record) {
                    Some(problem) => batch.problems.push(problem),
                    None => batch.rows.push(record),
                },
            }
        }
        batch.last = self.ended;
        self.position += 1;
        Ok(Some(batch))
    }

    fn seen_before(&mut self, record: &Record) -> Option<Problem> {
        let mut hasher = DefaultHasher::new();
        Row::read(record).ok()?.identity().hash(&mut hasher);
        let earlier = *self.seen.entry(hasher.finish()).or_insert(record.line);
        let message = format!("is about the same as line {earlier}");
        (earlier != record.line).then(|| Problem::of_line(record.line, Code::Duplicate, message))
    }
}
