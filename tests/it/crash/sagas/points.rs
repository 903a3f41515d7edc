//! A process that dies at each border of each step of a checkout, once: before and after each commit, after each delivery,
//! after each call of the provider.

use std::time::Duration;

use ::payments::provider::sandbox::Faults;
use chassis::Engine;
use chassis::failpoint::{self, Place};
use chrono::TimeDelta;
use entity::shared::outbox;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::told::{Line, Told};
use super::{APART, STOCKED, books, buyers, end, open, stock};
use crate::crash::child::{Worker, say_done};
use crate::support::{self, Store};

/// The borders of the services that a checkout is made of.
const BORDERS: [(&str, Place); 10] = [
    ("orders", Place::BeforeCommit),
    ("orders", Place::AfterCommit),
    ("orders", Place::Delivered),
    ("inventory", Place::BeforeCommit),
    ("inventory", Place::AfterCommit),
    ("inventory", Place::Delivered),
    ("payments", Place::BeforeCommit),
    ("payments", Place::AfterCommit),
    ("payments", Place::Delivered),
    ("payments", Place::Called),
];
/// Deaths at least: a checkout is six transactions of orders, two of inventory and six of payments with its provider.
const DEATHS: usize = 38;
/// How often a child looks whether everything has ended.
const LOOK: Duration = Duration::from_millis(10);

/// The work of a child: one guest buys, and everything that was begun ends, unless the process dies on the way.
pub async fn buy_once(market: &souk::Market, point: &str) {
    let words: Vec<&str> = point.split(' ').collect();
    let [service, place, nth] = words.as_slice() else { panic!("{point} is no point") };
    let (_, place) = BORDERS.iter().find(|(_, border)| format!("{border:?}") == *place).unwrap();
    failpoint::arm(service, *place, nth.parse().unwrap());
    market.start();
    buyers::buy_once(market).await;
    while open(market).await + unheard(market).await > 0 {
        tokio::time::sleep(LOOK).await;
    }
    say_done(Line::Over);
}

/// Events on their way.
async fn unheard(market: &souk::Market) -> u64 {
    let mut unheard = 0;
    for service in &market.services {
        let unpublished = outbox::Entity::find().filter(outbox::Column::PublishedAt.is_null());
        unheard += unpublished.count(service.env.db.look()).await.unwrap();
    }
    unheard
}

async fn every_border_can_be_the_last(store: Store) {
    let stocked = stock(&store, &STOCKED, &Faults::default()).await;
    let (mut told, mut deaths, mut passed) = (Told::default(), 0, TimeDelta::zero());
    for (service, place) in BORDERS {
        for nth in 1.. {
            let point = format!("{service} {place:?} {nth}");
            let mut worker = Worker::start_to_die("buy once", &store, passed, &point);
            let said: Vec<String> = std::iter::from_fn(|| worker.done()).collect();
            worker.kill();
            passed += APART;
            said.iter().for_each(|line| told.hear(line));
            if said.last().is_some_and(|line| Line::read(line) == Line::Over) {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= DEATHS, "{deaths} deaths");
    let market = end(&store, passed, &mut told).await;
    books::check(&market, &stocked, &told).await;
    market.stop().await;
    store.remove().await;
}

#[cfg_attr(not(debug_assertions), ignore = "release builds have no such places")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_border_of_a_step_can_be_the_last_on_sqlite() {
    every_border_can_be_the_last(support::store(Engine::Sqlite).await.unwrap()).await;
}

#[cfg_attr(not(debug_assertions), ignore = "release builds have no such places")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_border_of_a_step_can_be_the_last_on_postgres() {
    let Some(store) = support::store(Engine::Postgres).await else { return };
    every_border_can_be_the_last(store).await;
}
