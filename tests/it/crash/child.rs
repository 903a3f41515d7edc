//! A process that works until it is killed: this test binary, started again for one test.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use chassis::{Clock, Tasks};
use souk::market::ALL;
use souk::{Market, Plan};

use super::{bids, feeds, files, imports, payments, reservations};
use crate::search::rebuild;
use crate::support::Store;

/// What a child does, and where its rows are.
const WORK: &str = "SOUK_IT_WORK";
const DATABASES: &str = "SOUK_IT_DATABASES";
const FOLDER: &str = "SOUK_IT_FOLDER";
const BIDDING: &str = "SOUK_IT_BIDDING";

/// Does what the environment says; in a run of its own there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let Ok(work) = std::env::var(WORK) else { return };
    if work == "bid" {
        return bids::bid_for_ever(&std::env::var(BIDDING).unwrap()).await;
    }
    let urls = std::env::var(DATABASES).unwrap();
    let databases = ALL.into_iter().zip(urls.split(' ').map(str::to_owned)).collect();
    let plan = Plan {
        databases,
        master_key: Arc::new(secrecy::SecretBox::new(Box::new([7; 32]))),
        data_dir: std::env::var(FOLDER).ok().map(Into::into),
        reach: chassis::Reach::Public,
    };
    let market = Market::open(&plan, Clock::System, Tasks::new()).await.unwrap();
    match work.as_str() {
        "feed" => feeds::feed(&market).await,
        "reserve" => reservations::reserve_for_ever(&market).await,
        "import" => imports::import(&market).await,
        "sell" => payments::sell_for_ever(&market).await,
        "end" => payments::end_what_was_begun(&market).await,
        "import file" => files::import(&market).await,
        "rebuild" => rebuild::rebuild_for_ever(&market).await,
        other => panic!("nobody knows how to {other}"),
    }
}

/// Tells the parent what is done, whole or not at all.
pub fn say_done(what: impl Display) {
    std::io::stdout().write_all(format!("done {what}\n").as_bytes()).unwrap();
}

/// A child at work.
pub struct Worker {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Worker {
    pub fn start(work: &str, store: &Store) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()).env(WORK, work), store)
    }

    /// [`start`](Self::start) with a folder for files that can be made again.
    pub fn start_in(work: &str, store: &Store, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self::run(command.env(WORK, work).env(FOLDER, folder), store)
    }

    fn run(command: &mut Command, store: &Store) -> Self {
        let urls: Vec<String> = ALL.iter().map(|service| store.url(service.as_str())).collect();
        let mut child = command
            .args(["--exact", "crash::child::work", "--nocapture"])
            .env(DATABASES, urls.join(" "))
            .env(BIDDING, store.url("bidding"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What the child says next after the word `done`; `None`: it has ended.
    pub fn done(&mut self) -> Option<String> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("done ").map(str::to_owned))
    }

    /// Kills the child at once; what it had said until then.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let said = std::iter::from_fn(|| self.done()).collect();
        self.child.wait().unwrap();
        said
    }
}
