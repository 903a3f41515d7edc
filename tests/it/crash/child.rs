//! A process that works until it is killed: this test binary, started again for one test.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::bidding::rules::{BidPolicy, Rules};
use chassis::{Clock, Tasks};
use chrono::{DateTime, TimeDelta, Utc};
use souk::market::{ALL, ServiceName};
use souk::{Market, Plan};

use super::sagas::{buyers, points};
use super::trades::{told::Stall, traders};
use super::{bids, feeds, files, imports, payments, reservations};
use crate::bidding::instance;
use crate::search::rebuild;
use crate::support::Store;

/// What a child does, and where its rows are.
const WORK: &str = "SOUK_IT_WORK";
const DATABASES: &str = "SOUK_IT_DATABASES";
const FOLDER: &str = "SOUK_IT_FOLDER";
const BIDDING: &str = "SOUK_IT_BIDDING";
/// By how much the child's clock, which begins where those of tests stand, is ahead. Without it: the system's clock.
const AHEAD_S: &str = "SOUK_IT_AHEAD_S";
/// Where the child dies: `service`, [`Place`](chassis::failpoint::Place) and the how manieth time.
const POINT: &str = "SOUK_IT_POINT";
/// How often a clock that is ahead is moved.
const TICK: Duration = Duration::from_millis(2);

/// Does what the environment says; in a run of its own there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let Ok(work) = std::env::var(WORK) else { return };
    if work == "bid" {
        return bids::bid_for_ever(&std::env::var(BIDDING).unwrap()).await;
    }
    let urls = std::env::var(DATABASES).unwrap();
    let databases = ALL.into_iter().zip(urls.split(' ').map(str::to_owned)).collect();
    let mut plan = Plan {
        databases,
        master_key: Arc::new(secrecy::SecretBox::new(Box::new([7; 32]))),
        data_dir: std::env::var(FOLDER).ok().map(Into::into),
        reach: chassis::Reach::Public,
        payments: Default::default(),
        trades: Default::default(),
        markets: Rules { bid_policy: bid_policy(&work), ..Rules::default() },
        peers: None,
    };
    if work == "decide" {
        plan.databases.retain(|(name, _)| *name == ServiceName::Bidding);
        return instance::decide_for_ever(plan, clock()).await;
    }
    let market = Market::open(&plan, clock(), Tasks::new()).await.unwrap();
    match work.as_str() {
        "buy" => buyers::buy_for_ever(&market).await,
        "buy once" => points::buy_once(&market, &std::env::var(POINT).unwrap()).await,
        "feed" => feeds::feed(&market).await,
        "reserve" => reservations::reserve_for_ever(&market).await,
        "import" => imports::import(&market).await,
        "sell" => payments::sell_for_ever(&market).await,
        "end" => payments::end_what_was_begun(&market).await,
        "import file" => files::import(&market).await,
        "rebuild" => rebuild::rebuild_for_ever(&market).await,
        other => match other.split_once(' ') {
            Some(("trade", stall)) => {
                traders::trade_for_ever(&market, &serde_json::from_str(stall).unwrap()).await
            }
            Some(("rush", guests)) => buyers::rush(&market, guests.parse().unwrap()).await,
            _ => panic!("nobody knows how to {other}"),
        },
    }
}

/// What bids need where `work` is to trade.
fn bid_policy(work: &str) -> BidPolicy {
    let stall: Option<Stall> = work.strip_prefix("trade ").map(|stall| serde_json::from_str(stall).unwrap());
    match stall.is_some_and(|stall| stall.held) {
        true => BidPolicy::FullHold,
        false => BidPolicy::VerifyOnly,
    }
}

fn clock() -> Clock {
    let Ok(ahead) = std::env::var(AHEAD_S) else { return Clock::System };
    let start = crate::support::start() + TimeDelta::seconds(ahead.parse().unwrap());
    let clock = Clock::manual(start);
    let moved = clock.clone();
    std::thread::spawn(move || tick(&moved, start));
    clock
}

/// Moves a clock as time passes.
fn tick(clock: &Clock, start: DateTime<Utc>) {
    let began = Instant::now();
    loop {
        clock.advance(start + TimeDelta::from_std(began.elapsed()).unwrap() - clock.now());
        std::thread::sleep(TICK);
    }
}

/// Tells the parent what is done, whole or not at all.
pub fn say_done(what: impl Display) {
    std::io::stdout().write_all(format!("done {what}\n").as_bytes()).unwrap();
}

/// Waits until the parent says so.
pub async fn until_told() {
    let line = || std::io::stdin().read_line(&mut String::new());
    tokio::task::spawn_blocking(line).await.unwrap().unwrap();
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

    /// [`start`](Self::start) with a clock that is ahead of those of tests.
    pub fn start_later(work: &str, store: &Store, ahead: TimeDelta) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self::run(command.env(WORK, work).env(AHEAD_S, ahead.num_seconds().to_string()), store)
    }

    /// [`start_later`](Self::start_later) for a child that dies at a point.
    pub fn start_to_die(work: &str, store: &Store, ahead: TimeDelta, point: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let ahead_s = ahead.num_seconds().to_string();
        Self::run(command.env(WORK, work).env(AHEAD_S, ahead_s).env(POINT, point), store)
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
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Lets a child go on that waits for [`until_told`].
    pub fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
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
