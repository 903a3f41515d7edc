//! Reservations under `kill -9`.

use std::collections::BTreeSet;

use chassis::outbox::{self, about};
use chassis::tx;
use chassis::{Engine, Env};
use contract::event::accounts::SellerStatus;
use contract::event::catalog::{Condition, OfferChanged, Publication};
use contract::event::inventory::Line;
use contract::{CurrencyCode, LocationId, Money, OfferId, ProductId, SellerId, VariantId};
use entity::inventory::{reservation, stock_level};
use inventory::reservation::Reserve;
use inventory::{Arrival, Keeper};
use sea_orm::EntityTrait;

use super::child::Worker;
use crate::support::{self, Market, Relays};

const KEEPER: Keeper = Keeper::System("crash");
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
        Ok(reservation) => println!("done {}", reservation.id),
        Err(_) => println!("done sold out"),
    }
}

async fn what_was_acknowledged_survives(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Running).await;
    let offer = stocked_offer(&market).await;
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

/// An offer with [`PIECES`] on a shelf.
async fn stocked_offer(market: &Market) -> OfferId {
    let seller = market.seller("Under Fire").await;
    let seller_id = seller.seller.unwrap();
    market.say_seller(&seller, "Under Fire", SellerStatus::Verified, 2).await;
    let offer_id = OfferId::new();
    say_offer(market, offer_id, seller_id).await;
    let inventory = market.env("inventory");
    let location_id = open_location(inventory, seller_id).await;
    let arrival = Arrival { offer_id, location_id, quantity: PIECES };
    inventory::receive_many(inventory, KEEPER, "start", vec![arrival]).await.unwrap().unwrap();
    offer_id
}

async fn say_offer(market: &Market, offer_id: OfferId, seller_id: SellerId) {
    let changed = OfferChanged {
        offer_id,
        product_id: ProductId::new(),
        variant_id: VariantId::new(),
        seller_id,
        condition: Condition::New,
        price: Money { amount_minor: 1_000, currency: CurrencyCode::EUR },
        publication: Publication::Published,
    };
    let now = market.clock.now();
    let said = tx::apply(&market.env("catalog").db, async |tx| {
        outbox::say(tx, now, about("offer", offer_id, 1), changed).await
    });
    said.await.unwrap();
    market.settle().await;
}

async fn open_location(inventory: &Env, seller_id: SellerId) -> LocationId {
    let command = inventory::location::Create { keeper: KEEPER, seller_id: Some(seller_id), name: "Shelf".into() };
    let now = inventory.clock.now();
    let opened = tx::run(&inventory.db, async |tx| inventory::location::create(tx, now, command).await).await;
    opened.unwrap().unwrap().id
}
