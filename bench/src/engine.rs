//! The engine of bidding on PostgreSQL, against the database doing the same by itself: one call of a plpgsql function for each
//! command. Both in one run, so that a busy neighbour weighs on both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bidding::engine::{Follower, Handle, Projection, SqlJournal, Writer, recover};
use chassis::{Clock, Database, Tasks};
use clap::Args;
use futures::future::try_join_all;
use matching::{AccountId, Action, MarketId, MarketRules, Place, Side};
use migration::MigratorTrait;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::summary::Summary;

/// The database that decides by itself.
const BASELINE: &str = include_str!("engine.sql");
/// Prices go from here to here, in steps of 100: about half of the orders meet another.
const PRICE_MIN: i64 = 19_000;
const PRICE_STEPS: u64 = 20;

#[derive(Args)]
pub struct Engine {
    /// An empty PostgreSQL database.
    #[arg(long)]
    database_url: String,
    /// Connections of the baseline to the database; the engine has one.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Those who wait for an answer at a time: first as many as the baseline has connections, then so many.
    #[arg(long, default_value_t = 2_048)]
    callers: usize,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The baseline locks one market at a time: with several it works on several.
    #[arg(long, default_value_t = 16)]
    markets: u64,
}

/// One order, drawn from its number.
struct Order {
    account: u128,
    market: u64,
    is_bid: bool,
    price: i64,
}

impl Order {
    fn draw(number: u64, markets: u64) -> Self {
        let mixed = matching::digest_of(&number.to_be_bytes());
        Self {
            account: u128::from(mixed % 1_000) + 1,
            market: (mixed >> 12) % markets,
            is_bid: mixed >> 40 & 1 == 0,
            price: PRICE_MIN + 100 * ((mixed >> 24) % PRICE_STEPS) as i64,
        }
    }

    /// Each partition has markets of its own.
    fn action(&self, partition: u32) -> Action {
        let (account, market) = (AccountId(self.account), market_of(partition, self.market));
        let side = if self.is_bid { Side::Bid } else { Side::Ask };
        Action::Place(Place::resting(account, market, side, self.price, 1))
    }
}

fn market_of(partition: u32, number: u64) -> MarketId {
    MarketId(u128::from(partition) << 64 | u128::from(number))
}

impl Engine {
    pub async fn run(self) -> anyhow::Result<()> {
        let db = Database::open("bidding", &self.database_url).await?;
        migration::bidding::Migrator::up(db.write(), None).await?;
        for (callers, partition) in [(self.connections as usize, 0), (self.callers, 1)] {
            let baseline = self.baseline(callers).await?;
            println!("one plpgsql call a command: {}", self.shown(callers, &baseline));
            let engine = self.engine(callers, &db, partition).await?;
            println!("journal and projection: {}", self.shown(callers, &engine));
            println!("times as many: {:.1}", engine.count() as f64 / baseline.count() as f64);
            self.replay(&db, partition).await?;
        }
        Ok(db.close().await?)
    }

    fn shown(&self, callers: usize, times: &Summary) -> String {
        let rate = times.count() as f64 / self.seconds as f64;
        format!("{callers} callers, {rate:.0} durable commands/s, {times}")
    }

    /// Sends orders from all callers at once until the time is up; how long each took.
    async fn load<F: Future<Output = anyhow::Result<()>>>(
        &self,
        callers: usize,
        send: impl Fn(Order) -> F,
    ) -> anyhow::Result<Summary> {
        let next = AtomicU64::new(0);
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let caller = async || {
            let mut times = Vec::new();
            while Instant::now() < end {
                let order = Order::draw(next.fetch_add(1, Ordering::Relaxed), self.markets);
                let began = Instant::now();
                send(order).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        };
        let times = try_join_all((0..callers).map(|_| caller())).await?;
        Ok(Summary::new(times.concat()))
    }

    async fn baseline(&self, callers: usize) -> anyhow::Result<Summary> {
        let mut options = ConnectOptions::new(&self.database_url);
        options.max_connections(self.connections).min_connections(self.connections).sqlx_logging(false);
        let db = sea_orm::Database::connect(options).await?;
        db.execute_unprepared(BASELINE).await?;
        for market in 0..self.markets {
            let sql = format!("insert into baseline.market (id) values ({market})");
            db.execute_unprepared(&sql).await?;
        }
        let times = self.load(callers, |order| place_by_function(&db, order)).await?;
        let (placed, matched) = counts(&db).await?;
        ensure!(placed as usize == times.count() && matched > 0, "{placed} orders, {matched} matches");
        db.execute_unprepared("drop schema baseline cascade").await?;
        db.close().await?;
        Ok(times)
    }

    async fn engine(&self, callers: usize, db: &Database, partition: u32) -> anyhow::Result<Summary> {
        let tasks = Tasks::new();
        let journal = SqlJournal::new(db.clone(), partition);
        let (writer, handle) = Writer::new(journal.clone(), Clock::System, tasks.stopping().clone());
        tasks.spawn(writer.run());
        // A follower that takes no snapshots: the replay below begins at the beginning.
        let projection = Projection::new(db.clone(), partition);
        let follower = Follower::new(journal, projection.clone()).with_snapshots_every(u64::MAX);
        tasks.spawn(follower.run(handle.clone(), tasks.stopping().clone()));
        for market in 0..self.markets {
            let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000_000 };
            send(&handle, Action::SetMarket { market: market_of(partition, market), rules }).await?;
        }
        let times = self.load(callers, |order| send(&handle, order.action(partition))).await?;
        let (row, behind) = (handle.view().row(), Instant::now());
        while projection.watermark().await.map_err(failed)? < row {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("the projection was {:.2} s behind", behind.elapsed().as_secs_f64());
        tasks.stop().await;
        Ok(times)
    }

    async fn replay(&self, db: &Database, partition: u32) -> anyhow::Result<()> {
        let began = Instant::now();
        let at = recover(&SqlJournal::new(db.clone(), partition), None).await.map_err(failed)?;
        let wall = began.elapsed();
        let sql =
            format!("select cast(sum(n) as bigint) as n from bidding_journal where partition = {partition}");
        let row = db.read().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let commands: i64 = row.context("a sum is one row")?.try_get("", "n")?;
        let rate = commands as f64 / wall.as_secs_f64() / 1e6;
        println!("replay: {commands} commands of {} rows, {rate:.2} million/s", at.seq);
        Ok(())
    }
}

fn failed(failure: chassis::Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure}")
}

async fn send(handle: &Handle, action: Action) -> anyhow::Result<()> {
    handle.send(action).await?;
    Ok(())
}

async fn place_by_function(db: &DatabaseConnection, order: Order) -> anyhow::Result<()> {
    let Order { account, market, is_bid, price } = order;
    let values = [(account as i64).into(), (market as i64).into(), is_bid.into(), price.into(), 1_i64.into()];
    let sql = "select baseline.place($1, $2, $3, $4, $5)";
    db.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    Ok(())
}

async fn counts(db: &DatabaseConnection) -> anyhow::Result<(i64, i64)> {
    let sql = "select (select count(*) from baseline.book_order) as placed, (select count(*) from baseline.trade) as matched";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row = row.context("counts are one row")?;
    Ok((row.try_get("", "placed")?, row.try_get("", "matched")?))
}
