//! Reservations under `kill -9`.

use std::collections::BTreeSet;

use chassis::{Engine, Env, tx};
use contract::OfferId;
use contract::event::inventory::Line;
use entity::inventory::{reservation, stock_level};
use inventory::reservation::Reserve;
use sea_orm::EntityTrait;

use super::child::{Worker, say_done};
use crate::support::goods::{Goods, KEEPER};
use crate::support::{self, Market, Relays};

/// Fewer than the children try to reserve, so that the end of the stock is passed under fire.
const PIECES: i64 = 200;
const KILLS: usize = 6;
/// Reservations that a child makes before it is killed.
const DONE_BEFORE_KILL: usize = 40;

/// The work of a child: one piece at a time, eight at once, saying what is done.
pub async fn reserve_for_ever(market: &souk::Market) {
    let env = &market.services.iter().find(|service| service.name.as_str() == "inventory").unwrap().env;
    let offer = stock_level::Entity::find().one(env.db.read()).await.unwrap().unwrap().offer_id;
    loop {
        let some = (0..8).map(|_| reserve(env, offer));
        futures::future::join_all(some).await;
    }
}

async fn reserve(env: &Env, offer_id: OfferId) {
    let lines = vec![Line { offer_id, quantity: 1 }];
    let command = Reserve { keeper: KEEPER, order_id: None, lines, ttl_seconds: 3_600 };
    let now = env.clock.now();
    let reserved = tx::run(&env.db, async |tx| inventory::reservation::reserve(tx, now, command).await).await;
    match reserved.unwrap() {
        Ok(reservation) => say_done(reservation.id),
        Err(_) => say_done("sold out"),
    }
}

async fn what_was_acknowledged_survives(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Running).await;
    let seller = market.seller("Under Fire").await;
    let offer = Goods::stock(&market, &seller, "Goods under fire", PIECES).await.offer;
    market.stop().await;

    let mut acknowledged = BTreeSet::new();
    for _ in 0..KILLS {
        let mut worker = Worker::start("reserve", &store);
        let seen: Vec<String> = (0..DONE_BEFORE_KILL).map_while(|_| worker.done()).collect();
        acknowledged.extend(seen.into_iter().chain(worker.kill()).filter(|said| said != "sold out"));
    }

    let market = Market::start(&store, Relays::Running).await;
    let db = market.env("inventory").db.read();
    let kept = reservation::Entity::find().all(db).await.unwrap();
    let kept: BTreeSet<String> = kept.into_iter().map(|reservation| reservation.id.to_string()).collect();
    assert!(acknowledged.is_subset(&kept), "lost: {:?}", acknowledged.difference(&kept));
    let level = stock_level::Entity::find_by_id(offer).one(db).await.unwrap().unwrap();
    assert_eq!((level.reserved, level.available), (PIECES, 0), "exactly what there was is sold");
    let report = inventory::verify(&market.env("inventory").db).await.unwrap();
    assert!(report.is_right(), "{report}");
    market.settle().await;
    market.stop().await;
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
