//! A journal that fails as a seed says, and clients that try again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bidding::engine::{Answered, Appended, Journal, Row, Snapshot, SqlJournal, Unanswered};
use chassis::Failure;
use matching::{Action, BookEvent, Change, Event, Place};

use super::play::{
    Running, action, assert_durable, assert_projected, clock, journal, on_both, open_market, replay_all,
};

const CLIENTS: u64 = 6;
const COMMANDS: u64 = 25;
const SEEDS: u64 = 24;

/// Rows in memory.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<(u64, Vec<Row>)>>);

impl Journal for Memory {
    async fn take_over(&self) -> Result<u64, Failure> {
        let mut rows = self.0.lock().unwrap();
        rows.0 += 1;
        Ok(rows.0)
    }

    async fn append(&self, row: &Row) -> Result<Appended, Failure> {
        let mut rows = self.0.lock().unwrap();
        if rows.0 != row.epoch {
            return Ok(Appended::Fenced);
        }
        if rows.1.len() as u64 + 1 != row.seq {
            return Err(Failure::msg("the row is there already"));
        }
        rows.1.push(row.clone());
        Ok(Appended::Durable)
    }

    async fn row(&self, seq: u64) -> Result<Option<(Row, u32)>, Failure> {
        Ok(self.0.lock().unwrap().1.get(seq as usize - 1).map(|row| (row.clone(), row.crc32())))
    }

    async fn rows(&self, after: u64, limit: u64) -> Result<Vec<(Row, u32)>, Failure> {
        let rows = self.0.lock().unwrap();
        let wanted = rows.1.iter().skip(after as usize).take(limit as usize);
        Ok(wanted.map(|row| (row.clone(), row.crc32())).collect())
    }

    async fn snapshots(&self, _: u64) -> Result<Vec<(Snapshot, u32)>, Failure> {
        Ok(Vec::new())
    }

    async fn keep(&self, _: &Snapshot) -> Result<(), Failure> {
        Ok(())
    }
}

/// Whatever it stands before: it fails before the work, after it, and for a while altogether.
#[derive(Clone)]
struct Flaky<J> {
    inner: J,
    random: Arc<AtomicU64>,
    faults: Arc<AtomicU64>,
}

impl<J> Flaky<J> {
    fn new(inner: J, seed: u64) -> Self {
        Self { inner, random: Arc::new(AtomicU64::new(seed)), faults: Arc::default() }
    }

    fn draw(&self) -> u64 {
        let next = self.random.fetch_add(0x9e37_79b9, Ordering::SeqCst);
        matching::digest_of(&next.to_be_bytes()) % 100
    }

    fn fault<T>(&self) -> Result<T, Failure> {
        self.faults.fetch_add(1, Ordering::SeqCst);
        Err(Failure::msg("the connection is lost"))
    }
}

impl<J: Journal> Journal for Flaky<J> {
    async fn take_over(&self) -> Result<u64, Failure> {
        if self.draw() < 20 { self.fault() } else { self.inner.take_over().await }
    }

    async fn append(&self, row: &Row) -> Result<Appended, Failure> {
        match self.draw() {
            0..15 => self.fault(),
            // Committed, and nobody heard of it.
            15..35 => {
                self.inner.append(row).await?;
                self.fault()
            }
            35..45 => {
                tokio::time::sleep(std::time::Duration::from_millis(3)).await;
                self.inner.append(row).await
            }
            _ => self.inner.append(row).await,
        }
    }

    async fn row(&self, seq: u64) -> Result<Option<(Row, u32)>, Failure> {
        // Most of the time the journal is away as a whole: outcomes stay unknown.
        if self.draw() < 70 { self.fault() } else { self.inner.row(seq).await }
    }

    async fn rows(&self, after: u64, limit: u64) -> Result<Vec<(Row, u32)>, Failure> {
        if self.draw() < 10 { self.fault() } else { self.inner.rows(after, limit).await }
    }

    async fn snapshots(&self, seq: u64) -> Result<Vec<(Snapshot, u32)>, Failure> {
        self.inner.snapshots(seq).await
    }

    async fn keep(&self, snapshot: &Snapshot) -> Result<(), Failure> {
        self.inner.keep(snapshot).await
    }
}

/// Sends until there is an answer.
async fn insist(running: &Running, action: Action, unknown: &AtomicU64) -> Answered {
    loop {
        match running.handle.send(action).await {
            Ok(answered) => return answered,
            Err(Unanswered::Unknown) => unknown.fetch_add(1, Ordering::SeqCst),
            Err(other) => panic!("{other}"),
        };
    }
}

/// Orders from clients that insist, through a journal that fails: each is carried out once, and what was said holds.
async fn trade_through_faults(journal: impl Journal + Clone, seed: u64, commands: u64) -> (u64, u64) {
    let flaky = Flaky::new(journal.clone(), seed);
    let running = Running::start(flaky.clone(), clock());
    let unknown = AtomicU64::new(0);
    insist(&running, open_market(), &unknown).await;
    let clients = (0..CLIENTS).map(async |client| {
        let mut answered = Vec::new();
        for number in 0..commands {
            let action = action(client * 1_000 + number);
            answered.push((action, insist(&running, action, &unknown).await));
        }
        answered
    });
    let answered: Vec<(Action, Answered)> = futures::future::join_all(clients).await.concat();
    running.stop().await;
    let (_, rows) = replay_all(&journal).await;
    let only: Vec<Answered> = answered.iter().map(|(_, answered)| answered.clone()).collect();
    assert_durable(&only, &rows);
    let placed = rows
        .iter()
        .flat_map(|(_, events)| events)
        .filter(|event| matches!(event, Event::Book(BookEvent { change: Change::Placed(_), .. })));
    let refused = only.iter().flat_map(|answered| &answered.events).filter(|event| match event {
        Event::Refused { account, .. } => account.is_some(),
        Event::Repeated { answer, .. } => answer.is_err(),
        _ => false,
    });
    let (placed, refused) = (placed.count(), refused.count());
    let asked = answered.iter().filter(|(action, _)| matches!(action, Action::Place(Place { .. }))).count();
    assert!(
        placed <= asked && placed + refused >= asked,
        "{asked} asked, {placed} placed, {refused} refused; seed {seed}"
    );
    (flaky.faults.load(Ordering::SeqCst), unknown.load(Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_journal_does_an_order_is_carried_out_once() {
    let runs = (0..SEEDS).map(|seed| trade_through_faults(Memory::default(), seed * 1_000_003, COMMANDS));
    let counts = futures::future::join_all(runs).await;
    let (faults, unknown) = counts.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    assert!(
        faults > 300 && unknown > 30,
        "{faults} faults, {unknown} unknown outcomes: the simulation does its work"
    );
}

on_both! {
    async fn faults_around_a_database_lose_and_repeat_nothing(db: Database) {
        let journal: SqlJournal = journal(&db);
        trade_through_faults(journal, 7, 10).await;
        assert_projected(&db).await;
    }
}
