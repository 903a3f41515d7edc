//! Imports under `kill -9`.

use catalog::import::{NewListing, load};
use chassis::Engine;
use contract::SellerId;
use entity::catalog::{offer, product, seller, variant};
use sea_orm::{EntityTrait, PaginatorTrait};

use super::child::{Worker, say_done};
use crate::support::goods::listing;
use crate::support::{self, Market, Relays};

/// Enough batches for a kill to fall between and into them.
const PRODUCTS: usize = 3_000;
const CHUNK: usize = 500;
const KILLS: usize = 3;

/// The work of a child: everything, once, saying how far it is.
pub async fn import(market: &souk::Market) {
    let env = &market.services.iter().find(|service| service.name.as_str() == "catalog").unwrap().env;
    let shop = seller::Entity::find().one(env.db.read()).await.unwrap().unwrap().id;
    say_done("start");
    for chunk in listings(shop).chunks(CHUNK) {
        let loaded = load(env, chunk.to_vec()).await.unwrap();
        assert_eq!(loaded.refused, []);
        say_done("chunk");
    }
}

fn listings(seller: SellerId) -> Vec<NewListing> {
    (0..PRODUCTS).map(|number| listing(&format!("Import {number}"), seller)).collect()
}

async fn an_import_goes_on_where_it_was_killed(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Running).await;
    market.seller("Import House").await;
    market.stop().await;

    for kill in 0..KILLS {
        let mut worker = Worker::start("import", &store);
        for _ in 0..=kill {
            worker.done();
        }
        worker.kill();
    }
    let mut worker = Worker::start("import", &store);
    let said = std::iter::from_fn(|| worker.done()).count();
    assert_eq!(said, 1 + PRODUCTS.div_ceil(CHUNK), "the last one comes to its end");

    let market = Market::start(&store, Relays::Running).await;
    let db = market.env("catalog").db.read();
    let counts = [
        product::Entity::find().count(db).await.unwrap(),
        variant::Entity::find().count(db).await.unwrap(),
        offer::Entity::find().count(db).await.unwrap(),
    ];
    assert_eq!(counts, [PRODUCTS as u64; 3]);
    market.settle().await;
    let known =
        entity::inventory::offer::Entity::find().count(market.env("inventory").db.read()).await.unwrap();
    assert_eq!(known, PRODUCTS as u64, "inventory has heard of every offer");
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_where_it_was_killed_on_sqlite() {
    an_import_goes_on_where_it_was_killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_where_it_was_killed_on_postgres() {
    an_import_goes_on_where_it_was_killed(Engine::Postgres).await;
}
