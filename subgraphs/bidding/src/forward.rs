//! The way of an errand to the process that writes its partition, when that is another one.
//!
//! It is handed on once: whoever gets it and does not write the partition says so, and is never a station on the way. The
//! sender looks again then, and takes the partition itself when nobody has it. What became of an errand whose answer is lost
//! is not known: it is sent again, and done once.

mod heard;
mod here;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chassis::peers::Unheard;
use chassis::{Denied, Peers};
use entity::bidding::{market, partition};
use sea_orm::EntityTrait;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tracing::warn;

use crate::engine::{Ticker, Unanswered};
use crate::errand::{self, Errand, Report};
use crate::floor::{ELSEWHERE, Floor, NoAnswer};
use crate::market::engine_id;
use heard::Heard;
pub use here::{answers, done_here};

/// Where other processes come with errands.
pub const PATH: &str = "/subgraphs/bidding/errands";
/// How long an errand looks for the writer of its partition: longer than somebody who died keeps a lease.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long it does when this process stops: others take its partitions within a second or two.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(2);
/// The pause after the first try; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// A look at who writes a partition counts for so long, also when nobody was found.
const LOOK_COUNTS_FOR: Duration = Duration::from_millis(100);
/// Errands on their way at once; more are told that it is overloaded.
const ERRANDS_MAX: usize = 1_024;

/// What this process knows of the others.
pub(crate) struct Forward {
    peers: Peers,
    ways: RwLock<BTreeMap<u32, Way>>,
    /// Held by who asks the database for a way: the others wait for what it finds.
    looking: Mutex<()>,
    heard: Heard,
    places: Semaphore,
}

/// Where a partition is written, as far as anybody knows.
struct Way {
    /// None: nobody is there, or nobody but this process.
    address: Option<Arc<str>>,
    looked_at: Instant,
    /// Whoever is there did not answer, or does not write the partition.
    failed: bool,
}

impl Way {
    fn counts(&self) -> bool {
        let leads = self.address.is_some() && !self.failed;
        leads || self.looked_at.elapsed() < LOOK_COUNTS_FOR
    }
}

impl Forward {
    pub fn new(peers: Peers) -> Self {
        Self {
            peers,
            ways: RwLock::default(),
            looking: Mutex::default(),
            heard: Heard::default(),
            places: Semaphore::new(ERRANDS_MAX),
        }
    }

    /// Where others reach this process.
    pub fn address(&self) -> &str {
        self.peers.address()
    }

    /// A market's best prices as whoever writes it told them with a command of this process, if that is newer than the row
    /// of its ticker, whose sequence is `row_seq`.
    pub fn heard(&self, market: &market::Model, row_seq: u64) -> Option<Ticker> {
        self.heard.newer_than(engine_id(market.id), row_seq)
    }

    /// Does an errand where its partition is written.
    ///
    /// # Errors
    /// Nobody was found in time, too much waits, or the outcome is not known: all of them pass.
    pub async fn carry(&self, floor: &Floor, partition: u32, errand: &Errand) -> Result<Report, NoAnswer> {
        let why = match done_here(floor, partition, errand).await? {
            Ok(report) => return Ok(report),
            Err(Unanswered::Overloaded) => return Err(Unanswered::Overloaded.into()),
            Err(why) => why,
        };
        let Ok(_place) = self.places.try_acquire() else { return Err(Unanswered::Overloaded.into()) };
        let told = self.insist(floor, partition, errand, why).await;
        if told.is_err() {
            metrics::counter!("souk_bidding_forward_failures_total").increment(1);
        }
        told
    }

    /// Tries until somebody has done it, or patience ends.
    async fn insist(
        &self,
        floor: &Floor,
        partition: u32,
        errand: &Errand,
        mut why: Unanswered,
    ) -> Result<Report, NoAnswer> {
        let (started, mut pause) = (Instant::now(), PAUSE);
        loop {
            match self.attempt(floor, partition, errand).await? {
                Ok(report) => return Ok(report),
                Err(Unanswered::Overloaded) => return Err(Unanswered::Overloaded.into()),
                Err(Unanswered::Unknown) => why = Unanswered::Unknown,
                Err(Unanswered::NotHere) => {}
            }
            let patience = if floor.is_closing() { PATIENCE_AT_STOP } else { PATIENCE };
            if started.elapsed() >= patience {
                return Err(why.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn attempt(
        &self,
        floor: &Floor,
        partition: u32,
        errand: &Errand,
    ) -> Result<Result<Report, Unanswered>, NoAnswer> {
        let way = match floor.known(partition) {
            Some(_) => None,
            None => self.way(floor, partition).await?,
        };
        match way {
            Some(address) => self.hand_over(partition, errand, &address).await,
            None => Ok(done_here(floor, partition, errand).await?),
        }
    }

    /// Where a partition is written; `None`: here from now on, or nobody knows yet.
    async fn way(&self, floor: &Floor, partition: u32) -> Result<Option<Arc<str>>, NoAnswer> {
        if let Some(address) = self.known(partition) {
            return Ok(address);
        }
        let _only = self.looking.lock().await;
        if let Some(address) = self.known(partition) {
            return Ok(address);
        }
        let address = match floor.take(partition).await? {
            true => None,
            false => self.look(floor, partition).await?,
        };
        let way = Way { address: address.clone(), looked_at: Instant::now(), failed: false };
        self.ways.write().expect("no code panics while it holds this lock").insert(partition, way);
        Ok(address)
    }

    /// A way that need not be looked for.
    fn known(&self, partition: u32) -> Option<Option<Arc<str>>> {
        let ways = self.ways.read().expect("no code panics while it holds this lock");
        ways.get(&partition).filter(|way| way.counts()).map(|way| way.address.clone())
    }

    /// Who took the partition last. This process itself, or one that ended where this one listens now, is nobody.
    async fn look(&self, floor: &Floor, partition: u32) -> Result<Option<Arc<str>>, NoAnswer> {
        let found = partition::Entity::find_by_id(partition as i32).one(floor.env().db.read()).await?;
        match found.map(|row| row.address) {
            None => Ok(None),
            // It runs without peers: nothing can be handed to it.
            Some(None) => Err(Unanswered::NotHere.into()),
            Some(Some(address)) => {
                Ok(Some(address.into()).filter(|address: &Arc<str>| **address != *self.address()))
            }
        }
    }

    async fn hand_over(
        &self,
        partition: u32,
        errand: &Errand,
        address: &str,
    ) -> Result<Result<Report, Unanswered>, NoAnswer> {
        let heard = self.peers.ask(address, PATH, errand::message(partition, errand)).await;
        let told = match &heard {
            Ok(answer) => errand::read_answer(answer).unwrap_or(Err(Unanswered::Unknown)),
            Err(Unheard::Lost(_)) => Err(Unanswered::Unknown),
            Err(Unheard::Unreached(_) | Unheard::Refused(_)) => Err(Unanswered::NotHere),
        };
        let outcome = outcome(&heard, &told);
        metrics::counter!("souk_bidding_forwarded_total", "outcome" => outcome).increment(1);
        match &told {
            Ok(report) => report.ticker.iter().for_each(|(market, ticker)| self.heard.hear(*market, *ticker)),
            Err(Unanswered::Overloaded) => {}
            Err(why) => self.distrust(partition, address, &reason(&heard, *why)),
        }
        match heard {
            // It listens to nobody who knows what this process knows: trying again changes nothing.
            Err(Unheard::Refused(_)) => Err(Denied::NotNow(ELSEWHERE).into()),
            _ => Ok(told),
        }
    }

    /// Who comes next looks again. Said once, however many came by this way.
    fn distrust(&self, partition: u32, address: &str, why: &str) {
        let mut ways = self.ways.write().expect("no code panics while it holds this lock");
        let way = ways.get_mut(&partition).filter(|way| way.address.as_deref() == Some(address));
        if way.is_some_and(|way| !std::mem::replace(&mut way.failed, true)) {
            warn!(partition, address, %why, "Partition {partition} is not written at {address}: {why}");
        }
    }
}

fn reason(heard: &Result<Vec<u8>, Unheard>, told: Unanswered) -> String {
    heard.as_ref().err().map_or_else(|| told.to_string(), ToString::to_string)
}

fn outcome(heard: &Result<Vec<u8>, Unheard>, told: &Result<Report, Unanswered>) -> &'static str {
    match (heard, told) {
        (Err(Unheard::Unreached(_)), _) => "unreached",
        (Err(Unheard::Refused(_)), _) => "refused",
        (_, Ok(_)) => "done",
        (_, Err(Unanswered::Overloaded)) => "overloaded",
        (_, Err(Unanswered::Unknown)) => "unknown",
        (_, Err(Unanswered::NotHere)) => "elsewhere",
    }
}
