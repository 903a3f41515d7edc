//! Which process writes which partition: a lease for each. The lease says when to begin; that two never write at once is up to
//! the epoch in the journal.

use std::collections::BTreeMap;

use chassis::{Clock, Database, Failure, Tasks, lease};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::follower::Follower;
use super::projection::Projection;
use super::sql::SqlJournal;
use super::writer::{Handle, Writer};

/// How long a process that died keeps its partitions.
const LEASE: TimeDelta = TimeDelta::seconds(5);

/// The partitions of this process.
pub struct Owner {
    db: Database,
    clock: Clock,
    tasks: Tasks,
    holder: Uuid,
    address: Option<String>,
    running: BTreeMap<u32, (Handle, CancellationToken)>,
}

impl Owner {
    pub fn new(db: Database, clock: Clock, tasks: Tasks) -> Self {
        Self { db, clock, tasks, holder: Uuid::now_v7(), address: None, running: BTreeMap::new() }
    }

    /// An owner that other processes reach at this address.
    pub fn reached_at(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// An owner that has the database to itself: it takes at once what a predecessor left behind.
    pub fn alone(self) -> Self {
        Self { holder: Uuid::nil(), ..self }
    }

    /// Takes what is free of `partitions`, keeps what is held, stops what was lost. Call it several times within a lease.
    pub async fn turn(&mut self, partitions: impl IntoIterator<Item = u32>) -> Result<(), Failure> {
        for partition in partitions {
            let name = name(partition);
            let is_held = lease::hold(&self.db, &name, self.holder, self.clock.now(), LEASE).await?;
            let is_running = self.handle(partition).is_some();
            match (is_held, is_running) {
                (true, false) => self.start(partition),
                (false, true) => self.stop(partition),
                _ => {}
            }
        }
        Ok(())
    }

    /// The writer of a partition, if it is here.
    pub fn handle(&self, partition: u32) -> Option<&Handle> {
        self.running.get(&partition).map(|(handle, _)| handle).filter(|handle| !handle.is_closed())
    }

    /// The partitions that are written here.
    pub fn running(&self) -> BTreeMap<u32, Handle> {
        let open = self.running.iter().filter(|(_, (handle, _))| !handle.is_closed());
        open.map(|(partition, (handle, _))| (*partition, handle.clone())).collect()
    }

    /// Stops every writer and gives the leases back.
    pub async fn release(&mut self) -> Result<(), Failure> {
        for (partition, (_, stop)) in std::mem::take(&mut self.running) {
            stop.cancel();
            lease::release(&self.db, &name(partition), self.holder).await?;
        }
        Ok(())
    }

    fn start(&mut self, partition: u32) {
        let journal = SqlJournal::new(self.db.clone(), partition).reached_at(self.address.clone());
        let stop = self.tasks.stopping().child_token();
        let (writer, handle) = Writer::new(journal, self.clock.clone(), stop.clone());
        self.tasks.spawn(writer.run());
        let follower = Follower::new(
            SqlJournal::new(self.db.clone(), partition),
            Projection::new(self.db.clone(), partition),
        );
        self.tasks.spawn(follower.run(handle.clone(), stop.clone()));
        self.running.insert(partition, (handle, stop));
    }

    fn stop(&mut self, partition: u32) {
        if let Some((_, stop)) = self.running.remove(&partition) {
            stop.cancel();
        }
    }
}

fn name(partition: u32) -> String {
    format!("bidding/{partition}")
}
