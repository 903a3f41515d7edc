//! Many buyers in several processes want the last pieces of one offer: exactly those are sold.
//!
//! `SOUK_CRASH_BUYERS=1000 cargo test -p tests --test it -- crash::sagas::rush` is the size before a release: 100 pieces.

use chrono::TimeDelta;
use entity::orders::settlement::{self, State};
use payments::provider::sandbox::Faults;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::told::{Line, Told};
use super::{APART, books, end, size, stock};
use crate::crash::child::Worker;
use crate::support;

/// `SOUK_CRASH_BUYERS`; there is a piece for one in ten.
const BUYERS: usize = 120;
const BUYERS_A_PIECE: usize = 10;
const PROCESSES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_sell_one_offer_sell_exactly_what_there_is() {
    let Some(store) = support::cluster::store() else { return };
    let buyers = size("SOUK_CRASH_BUYERS", BUYERS) / PROCESSES * PROCESSES;
    let pieces = buyers / BUYERS_A_PIECE;
    // A payment that fails gives its piece back, perhaps after everybody else was told that there is none: not here.
    let stocked = stock(&store, &[(1_000, pieces as i64)], &Faults::default()).await;
    let work = format!("rush {}", buyers / PROCESSES);
    let ready = |_| {
        let mut worker = Worker::start_later(&work, &store, TimeDelta::zero());
        assert_eq!(worker.done().map(|line| Line::read(&line)), Some(Line::Ready));
        worker
    };
    let mut workers: Vec<Worker> = (0..PROCESSES).map(ready).collect();
    let mut told = Told::default();
    workers.iter_mut().for_each(Worker::go_on);
    for worker in &mut workers {
        while let Some(line) = worker.done().filter(|line| Line::read(line) != Line::Over) {
            told.hear(&line);
        }
    }
    workers.into_iter().flat_map(Worker::kill).for_each(|line| told.hear(&line));
    assert_eq!(told.orders.len() + told.refused.len(), buyers, "everybody was answered");
    assert!(told.refused.values().all(|code| code == "SOLD_OUT"), "{:?}", told.refused);

    let market = end(&store, APART, &mut told).await;
    let settled = settlement::Entity::find().filter(settlement::Column::State.eq(State::Settled));
    let sold = settled.count(market.env("orders").db.read()).await.unwrap();
    assert_eq!(sold, pieces as u64, "exactly what there was");
    books::check(&market, &stocked, &told).await;
    market.stop().await;
    store.remove().await;
}
