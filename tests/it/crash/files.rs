//! Files under `kill -9`: what a batch did and how far the file is are one transaction.

use catalog::import::file::job::{self, Start};
use catalog::import::file::{Batches, Format};
use chassis::Engine;
use entity::catalog::{import_job, listing, product, seller};
use sea_orm::{EntityTrait, PaginatorTrait};

use super::child::{Worker, say_done};
use crate::support::{self, Market, Relays};

/// Enough batches for a kill to fall between and into them.
const ROWS: usize = 2_000;
const KILLS: usize = 3;

/// The work of a child: the whole file, saying how far it is.
pub async fn import(market: &souk::Market) {
    let env = &market.services.iter().find(|service| service.name.as_str() == "catalog").unwrap().env;
    let shop = seller::Entity::find().one(env.db.read()).await.unwrap().unwrap().id;
    let start = Start {
        owner: None,
        seller: Some(shop),
        creates: true,
        dry_run: false,
        file_hash: "the file".into(),
        rows_total: None,
    };
    let mut job = job::resume(env, start).await.unwrap();
    say_done("start");
    let file = file();
    let mut batches = Batches::new(file.as_bytes(), Format::Csv).unwrap();
    while let Some(batch) = batches.next_batch().unwrap() {
        if batch.position >= job.position {
            job = job::step(env, None, job.id, &batch).await.unwrap();
            say_done(job.rows_done);
        }
    }
}

fn file() -> String {
    let rows: String = (0..ROWS).map(|row| format!("Vase {row},1.00,EUR,2\n")).collect();
    format!("title,price,currency,quantity\n{rows}")
}

async fn a_file_goes_on_where_it_was_killed(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Running).await;
    market.seller("Vases").await;
    market.stop().await;

    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut worker = Worker::start("import file", &store);
        let mut seen: Vec<String> = (0..=kill).map_while(|_| worker.done()).collect();
        seen.extend(worker.kill());
        let further = seen.iter().filter_map(|said| said.parse::<usize>().ok()).max();
        acknowledged = acknowledged.max(further.unwrap_or(0));
    }
    let market = Market::start(&store, Relays::Running).await;
    let db = market.env("catalog").db.read();
    let kept = import_job::Entity::find().one(db).await.unwrap().unwrap();
    assert!(kept.rows_done >= acknowledged as i64, "lost what was acknowledged");
    assert_eq!(product::Entity::find().count(db).await.unwrap(), kept.rows_done as u64, "a batch is whole");
    market.stop().await;

    let mut worker = Worker::start("import file", &store);
    while worker.done().is_some() {}
    let market = Market::start(&store, Relays::Running).await;
    market.settle().await;
    let db = market.env("catalog").db.read();
    let jobs = import_job::Entity::find().all(db).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state, jobs[0].rows_done), (1, import_job::State::Done, ROWS as i64));
    assert_eq!(product::Entity::find().count(db).await.unwrap(), ROWS as u64);
    let listed = listing::Entity::find().all(db).await.unwrap();
    assert_eq!(listed.len(), ROWS);
    assert!(listed.iter().all(|one| one.state == listing::State::Listed));
    let levels =
        entity::inventory::stock_level::Entity::find().all(market.env("inventory").db.read()).await.unwrap();
    assert_eq!(
        levels.iter().map(|level| level.on_hand).sum::<i64>(),
        2 * ROWS as i64,
        "each piece arrived once"
    );
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_on_where_it_was_killed_on_sqlite() {
    a_file_goes_on_where_it_was_killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_on_where_it_was_killed_on_postgres() {
    a_file_goes_on_where_it_was_killed(Engine::Postgres).await;
}
