//! Checkouts under `kill -9`, with a provider that misbehaves: every order ends, paid with its goods or undone without a
//! trace, and whoever was told something was told the truth.
//!
//! Every size can be asked for: `SOUK_CRASH_SAGAS=10000 SOUK_CRASH_KILLS=1000 cargo test -p tests --test it -- crash::sagas`.

pub mod books;
pub mod buyers;
pub mod points;
mod rush;
mod told;

use std::collections::BTreeMap;
use std::time::Duration;

use ::payments::provider::sandbox::{Faults, misbehave};
use chassis::Engine;
use chrono::TimeDelta;
use contract::OfferId;
use entity::orders::settlement;
use entity::payments::payment_step;
use rand::Rng;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use souk::market::ServiceName;

use super::child::Worker;
use crate::orders::Shop;
use crate::support::{self, Market, Relays, Store};
use told::Told;

/// Requests to check out that are answered, and processes that are killed: at least. `SOUK_CRASH_SAGAS`,
/// `SOUK_CRASH_KILLS`.
const SAGAS: usize = 300;
const KILLS: usize = 25;
/// The same where the database is killed as well: each kill of it is a start.
const SAGAS_BESIDE: usize = 80;
const KILLS_BESIDE: usize = 6;
/// Out of a thousand calls of the provider: done and the answer lost; 500s that the key keeps, done and not; 503s. Together
/// more than 13 %.
pub const FAULTS: Faults = Faults {
    seed: 11,
    dropped: 60,
    kept_done: 30,
    kept_undone: 30,
    lost: 20,
    hangs: 0,
    hang_ms: 0,
    rate_limited: 10,
};
/// How much later, by their clock, processes begin than those before them: what a killed one held is free by then.
pub const APART: TimeDelta = TimeDelta::seconds(60);
/// The longest pause between a line that a process says and its death.
pub const LAST_BREATH_MS: u64 = 40;
/// Pieces of the offers: one of them sells out.
const STOCKED: [(i64, i64); 4] = [(1_250, 100_000), (9_000, 100_000), (300, 100_000), (777, 60)];
/// How often time is let pass until every saga has ended.
pub const ROUNDS_MAX: usize = 120;

/// A number that the environment may set.
pub fn size(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Opens shops with `offers` (price, pieces); what there is of each.
async fn stock(store: &Store, offers: &[(i64, i64)], faults: &Faults) -> BTreeMap<OfferId, i64> {
    let market = Market::start(store, Relays::Running).await;
    let shops = [Shop::open(&market, "One").await, Shop::open(&market, "Two").await];
    let mut stocked = BTreeMap::new();
    for (number, (price_minor, pieces)) in offers.iter().enumerate() {
        stocked.insert(shops[number % 2].offer(*price_minor, *pieces).await, *pieces);
    }
    misbehave(market.env("payments"), faults).await.unwrap();
    market.settle().await;
    market.stop().await;
    stocked
}

/// Guests who got no answer ask again; then time passes until every saga has ended. `passed`: by the clocks of the
/// processes before.
async fn end(store: &Store, passed: TimeDelta, told: &mut Told) -> Market {
    let market = Market::start(store, Relays::Running).await;
    market.clock.advance(passed);
    for ask in told.unanswered() {
        let mut input = ask.input();
        input["waitMs"] = json!(0);
        let data = market.data("orders", None, buyers::CHECKOUT, json!({ "input": input })).await;
        let order = &data["checkout"]["order"];
        if let Some(id) = order["id"].as_str() {
            let status = order["status"].as_str().unwrap_or_default();
            told.hear(&format!("told {} {id} {status}", ask.key));
        }
    }
    for _ in 0..ROUNDS_MAX {
        market.settle().await;
        if open(&market.souk).await == 0 {
            break;
        }
        market.clock.advance(APART);
        ::inventory::reservation::sweep(market.env("inventory")).await.unwrap();
        let payments = market.env("payments");
        ::payments::reconcile::look_again(
            payments,
            &::payments::courier(payments, &Default::default()).unwrap(),
        )
        .await
        .unwrap();
        ::orders::drive::sweep(market.env("orders")).await.unwrap();
    }
    market
}

/// Sagas and steps that have not ended. What an operator must look at has: it will not move.
async fn open(market: &souk::Market) -> u64 {
    let db = |name| market.service(name).unwrap().env.db.look();
    let orders = settlement::Entity::find().filter(settlement::Column::NextRunAt.is_not_null());
    let waiting = payment_step::Column::State.eq(payment_step::State::Waiting);
    let steps = payment_step::Entity::find().filter(waiting);
    orders.count(db(ServiceName::Orders)).await.unwrap()
        + steps.count(db(ServiceName::Payments)).await.unwrap()
}

fn hear(worker: &mut Worker, lines: usize, told: &mut Told) {
    for _ in 0..lines {
        told.hear(&worker.done().expect("a process works until it is killed"));
    }
}

/// Hears a process for a while and kills it.
fn hear_and_kill(mut worker: Worker, lines: usize, told: &mut Told) {
    hear(&mut worker, lines, told);
    std::thread::sleep(Duration::from_millis(rand::rng().random_range(0..LAST_BREATH_MS)));
    worker.kill().iter().for_each(|line| told.hear(line));
}

async fn every_saga_ends_right(
    store: Store,
    processes: usize,
    sagas: usize,
    kills: usize,
    meanwhile: impl Fn(usize, &Store),
) {
    let stocked = stock(&store, &STOCKED, &FAULTS).await;
    // A guest says two lines.
    let lines_max = 4 * sagas / kills;
    let (mut told, mut killed, mut passed) = (Told::default(), 0, TimeDelta::zero());
    while told.orders.len() < sagas || killed < kills {
        let mut workers: Vec<Worker> =
            (0..processes).map(|_| Worker::start_later("buy", &store, passed)).collect();
        // What happens meanwhile happens to processes at work, not to such as cannot begin.
        workers.iter_mut().for_each(|worker| hear(worker, 1, &mut told));
        for worker in workers {
            meanwhile(killed, &store);
            hear_and_kill(worker, rand::rng().random_range(0..=lines_max), &mut told);
            killed += 1;
        }
        passed += APART;
    }
    let market = end(&store, passed, &mut told).await;
    books::check(&market, &stocked, &told).await;
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_saga_ends_right_under_kills_on_sqlite() {
    let (sagas, kills) = (size("SOUK_CRASH_SAGAS", SAGAS), size("SOUK_CRASH_KILLS", KILLS));
    every_saga_ends_right(support::store(Engine::Sqlite).await.unwrap(), 1, sagas, kills, |_, _| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_saga_ends_right_under_kills_on_postgres() {
    // A server of its own: what processes held that were killed, and what others test, is more than a shared one has to give.
    let Some(store) = support::cluster::store() else { return };
    let (sagas, kills) = (size("SOUK_CRASH_SAGAS", SAGAS), size("SOUK_CRASH_KILLS", KILLS));
    every_saga_ends_right(store, 2, sagas, kills, |_, _| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_saga_ends_right_when_postgres_crashes_too() {
    let Some(store) = support::cluster::store() else { return };
    let crashes = size("SOUK_CRASH_SERVER_CRASHES", 1);
    let (sagas, kills) = (size("SOUK_CRASH_SAGAS", SAGAS_BESIDE), size("SOUK_CRASH_KILLS", KILLS_BESIDE));
    let every = kills.div_ceil(crashes + 1);
    every_saga_ends_right(store, 2, sagas, kills, |killed, store| {
        if killed > 0 && killed % every == 0 {
            let Store::Cluster(cluster) = store else { unreachable!("a server of its own") };
            cluster.crash();
            cluster.start();
        }
    })
    .await;
}
