//! A partition to play with, and what must hold of its rows.

use std::time::Duration;

use bidding::engine::{
    Answered, Follower, Handle, Journal, Projection, Recovered, SqlJournal, Writer, recover, replay,
};
use chassis::{Clock, Database, Engine, Tasks};
use entity::bidding::order;
use entity::bidding::trade;
use matching::*;
use migration::MigratorTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::support::{self, Store};

pub const PARTITION: u32 = 0;
pub const MARKET: MarketId = MarketId(0xA11);
pub const START: i64 = 1_800_000_000;

/// A test on both engines, with an empty database of bidding.
macro_rules! on_both {
    ($(async fn $name:ident($db:ident: Database) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($db: chassis::Database) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::bidding::play::run(chassis::Engine::Sqlite, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::bidding::play::run(chassis::Engine::Postgres, test).await;
            }
        }
    )*};
}
pub(crate) use on_both;

pub async fn run<F: Future<Output = ()>>(engine: Engine, test: impl FnOnce(Database) -> F) {
    let Some(store) = support::store(engine).await else { return };
    let db = open(&store.url("bidding")).await;
    test(db.clone()).await;
    db.close().await.unwrap();
    store.remove().await;
}

/// The database of bidding, migrated.
pub async fn open(url: &str) -> Database {
    let db = Database::open("bidding", url).await.unwrap();
    migration::bidding::Migrator::up(db.write(), None).await.unwrap();
    db
}

/// See [`Store::url`].
pub fn url(store: &Store) -> String {
    store.url("bidding")
}

pub fn clock() -> Clock {
    Clock::manual(chrono::DateTime::from_timestamp(START, 0).unwrap())
}

/// A writer at work.
pub struct Running {
    pub handle: Handle,
    tasks: Tasks,
}

impl Running {
    pub fn start(journal: impl Journal, clock: Clock) -> Self {
        let tasks = Tasks::new();
        let (writer, handle) = Writer::new(journal, clock, tasks.stopping().clone());
        tasks.spawn(writer.run());
        Self { handle, tasks }
    }

    pub async fn send(&self, action: Action) -> Answered {
        tokio::time::timeout(Duration::from_secs(20), self.handle.send(action)).await.unwrap().unwrap()
    }

    pub async fn stop(self) {
        self.tasks.stop().await;
    }

    /// Waits until the writer ends by itself.
    pub async fn ended(&self) {
        tokio::time::timeout(Duration::from_secs(20), async {
            while !self.handle.is_closed() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("the writer ends by itself");
    }
}

pub fn journal(db: &Database) -> SqlJournal {
    SqlJournal::new(db.clone(), PARTITION)
}

pub fn open_market() -> Action {
    let rules = MarketRules { tick: 100, price_min: 100, price_max: 1_000_000 };
    Action::SetMarket { market: MARKET, rules }
}

/// The `number`th of a stream of actions in which orders of both sides meet.
pub fn action(number: u64) -> Action {
    let mixed = digest_of(&number.to_be_bytes());
    let account = AccountId(u128::from(mixed % 40));
    let key = Some(Key(number.into()));
    let order = OrderId(1 + (mixed >> 8) % (number + 1));
    match mixed >> 40 & 15 {
        0 | 1 => Action::Cancel(Cancel { account, key, order }),
        2 => {
            let quantity = Some(1 + (mixed >> 20 & 3) as Quantity);
            Action::Amend(Amend { account, key, order, price: Some(10_000), quantity, expires_at: None })
        }
        3 if number > 20 => Action::PaymentFailed { trade: TradeId(1 + (mixed >> 8) % (number / 4)) },
        _ => {
            let side = if mixed >> 30 & 1 == 0 { Side::Bid } else { Side::Ask };
            let price = 9_500 + 100 * (mixed >> 16 & 7) as Price;
            let quantity = 1 + (mixed >> 24 & 3) as Quantity;
            Action::Place(Place { key, ..Place::resting(account, MARKET, side, price, quantity) })
        }
    }
}

/// Everything that the journal's rows lead to.
pub async fn replay_all(journal: &impl Journal) -> (Recovered, Vec<(u64, Vec<Event>)>) {
    let (mut at, mut rows) = (Recovered::new(), Vec::new());
    for (row, crc32) in journal.rows(0, 1_000_000).await.unwrap() {
        let mut events = Vec::new();
        replay(&mut at, &row, crc32, &mut events).unwrap();
        rows.push((row.seq, events));
    }
    at.state.audit().unwrap();
    (at, rows)
}

/// What was acknowledged is in its row, one after the other.
pub fn assert_durable(answered: &[Answered], rows: &[(u64, Vec<Event>)]) {
    for answer in answered {
        let (_, events) = &rows[answer.seq as usize - 1];
        let is_there = events.windows(answer.events.len()).any(|events| events == answer.events);
        assert!(is_there, "lost: {answer:?}");
    }
}

/// Lets a follower come to the journal's end, then compares its rows with a replay.
pub async fn assert_projected(db: &Database) {
    let journal = journal(db);
    let mut follower = Follower::new(journal.clone(), Projection::new(db.clone(), PARTITION));
    while follower.turn().await.unwrap() {}
    let (at, rows) = replay_all(&journal).await;
    let orders = order::Entity::find().order_by_asc(order::Column::Number).all(db.read()).await.unwrap();
    for order in &orders {
        let number = OrderId(order.number as u64);
        let status = match order.status {
            order::Status::Open => Status::Open,
            order::Status::Filled => Status::Filled,
            order::Status::Cancelled => Status::Cancelled,
            order::Status::Expired => Status::Expired,
        };
        assert_eq!(at.state.status(number), Some(status), "{order:?}");
        let view = at.state.order(number);
        let (price, remaining) = view.map_or((order.price_minor, 0), |view| (view.price, view.remaining));
        assert_eq!((order.price_minor, order.remaining), (price, remaining.into()), "{order:?}");
    }
    let placed = rows
        .iter()
        .flat_map(|(_, events)| events)
        .filter(|event| matches!(event, Event::Book(BookEvent { change: Change::Placed(_), .. })));
    assert_eq!(orders.len(), placed.count());
    assert_trades(db, &rows).await;
    let again = recover(&journal, None).await.unwrap();
    assert_eq!(
        (again.seq, again.state.digest()),
        (at.seq, at.state.digest()),
        "snapshots lead to the same state"
    );
}

async fn assert_trades(db: &Database, rows: &[(u64, Vec<Event>)]) {
    let mut expected = Vec::new();
    let mut failed = 0;
    for event in rows.iter().flat_map(|(_, events)| events) {
        if let Event::Book(BookEvent { seq, change, .. }) = event {
            match change {
                Change::Matched(matched) => {
                    expected.push((
                        matched.trade.0 as i64,
                        i64::from(matched.quantity),
                        matched.price,
                        *seq as i64,
                    ));
                }
                Change::PaymentFailed(_) => failed += 1,
                _ => {}
            }
        }
    }
    let trades = trade::Entity::find()
        .filter(trade::Column::Partition.eq(PARTITION as i32))
        .order_by_asc(trade::Column::Number)
        .all(db.read())
        .await
        .unwrap();
    let there: Vec<_> = trades
        .iter()
        .map(|trade| (trade.number, trade.quantity, trade.price_minor, trade.market_seq))
        .collect();
    assert_eq!(there, expected);
    assert_eq!(trades.iter().map(|trade| trade.failed).sum::<i64>(), failed);
}
