//! Bids under `kill -9`.

use std::collections::BTreeMap;

use bidding::engine::{Follower, Projection, Writer};
use chassis::{Clock, Engine, Tasks};
use matching::{Action, BookEvent, Change, Event, Place};

use super::child::{Worker, say_done};
use crate::bidding::play::{
    PARTITION, action, assert_projected, journal, open, open_market, replay_all, url,
};
use crate::support;

const KILLS: usize = 8;
/// Commands that a child has acknowledged before it is killed.
const DONE_BEFORE_KILL: usize = 60;

/// The work of a child: commands, eight at once, saying which order each became; a follower runs beside them.
pub async fn bid_for_ever(url: &str) {
    let db = open(url).await;
    let (writer, handle) = Writer::new(journal(&db), Clock::System, Tasks::new().stopping().clone());
    let mut following =
        Follower::new(journal(&db), Projection::new(db.clone(), PARTITION)).with_snapshots_every(20);
    let follow = async {
        loop {
            following.turn().await.unwrap();
            handle.durable().await;
        }
    };
    let bid = async {
        handle.send(open_market()).await.unwrap();
        let mut next = u64::from(std::process::id()) * 1_000_000;
        loop {
            let numbers = next..next + 8;
            next += 8;
            futures::future::join_all(numbers.map(async |number| {
                let action = Action::Place(Place { returns: true, ..order(number) });
                say_done(placed(number, &handle.send(action).await.unwrap().events));
            }))
            .await;
        }
    };
    tokio::join!(writer.run(), follow, bid);
}

/// An order of the stream; what else is in it has no place here.
fn order(number: u64) -> Place {
    (number..)
        .find_map(|number| match action(number) {
            Action::Place(place) => Some(place),
            _ => None,
        })
        .map(|place| Place { key: Some(matching::Key(number.into())), ..place })
        .unwrap()
}

fn placed(number: u64, events: &[Event]) -> String {
    let placed = events.iter().find_map(|event| match event {
        Event::Book(BookEvent { change: Change::Placed(placed), .. }) => Some(placed.order.0),
        _ => None,
    });
    // 0: refused, such as one order too many of an account.
    format!("{number}:{}", placed.unwrap_or_default())
}

async fn what_was_acknowledged_survives(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let db = open(&url(&store)).await;
    let mut acknowledged = BTreeMap::new();
    for kill in 0..KILLS {
        let mut worker = Worker::start("bid", &store);
        let seen: Vec<String> = (0..DONE_BEFORE_KILL + kill).map_while(|_| worker.done()).collect();
        for said in seen.into_iter().chain(worker.kill()) {
            let (number, order) = said.split_once(':').unwrap();
            let (number, order): (u64, u64) = (number.parse().unwrap(), order.parse().unwrap());
            acknowledged.insert(number, order);
        }
    }
    assert!(acknowledged.len() >= KILLS * DONE_BEFORE_KILL);
    let (_, rows) = replay_all(&journal(&db)).await;
    let mut accounts = BTreeMap::new();
    for event in rows.iter().flat_map(|(_, events)| events) {
        if let Event::Book(BookEvent { change: Change::Placed(placed), .. }) = event {
            assert_eq!(accounts.insert(placed.order.0, placed.account), None, "a number is given once");
        }
    }
    for (number, order_number) in acknowledged.iter().filter(|(_, order)| **order > 0) {
        assert_eq!(accounts.get(order_number), Some(&order(*number).account), "order {order_number} is lost");
    }
    assert_projected(&db).await;
    db.close().await.unwrap();
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_on_sqlite() {
    what_was_acknowledged_survives(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_on_postgres() {
    what_was_acknowledged_survives(Engine::Postgres).await;
}
