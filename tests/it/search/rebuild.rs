//! Index files: kept, lost, damaged, built anew, killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::{Clock, Engine, Tasks};
use souk::Plan;
use souk::market::ALL;

use super::*;
use crate::crash::child::{Worker, say_done};
use crate::support::goods::listing;
use crate::support::{self, Relays, Store};

/// Enough for several commits of a build.
const PRODUCTS: usize = 2_500;

/// A market that keeps its index in a folder.
async fn open(store: &Store, folder: &Path) -> souk::Market {
    let plan = Plan {
        databases: ALL.map(|name| (name, store.url(name.as_str()))).to_vec(),
        master_key: Arc::new(secrecy::SecretBox::new(Box::new([7; 32]))),
        data_dir: Some(folder.into()),
        reach: chassis::Reach::Public,
        payments: Default::default(),
        trades: Default::default(),
        markets: Default::default(),
        peers: None,
    };
    souk::Market::open(&plan, Clock::System, Tasks::new()).await.unwrap()
}

/// What a search of `souk` answers.
async fn search(souk: &souk::Market, query: &str) -> Value {
    let catalog = souk.services.iter().find(|service| service.name.as_str() == "catalog").unwrap();
    let query = format!("{{ search({query}) {{ totalCount isRebuilding nodes {{ title }} }} }}");
    let call = chassis::graph::Call { query, operation_name: None, variables: Default::default() };
    let answer = catalog.endpoint.answer(&Default::default(), call).await;
    let mut answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["search"].take()
}

/// Waits until the index of `souk` is whole and has so many products.
async fn whole(souk: &souk::Market, products: usize) {
    tokio::time::timeout(CATCH_UP_TIMEOUT, async {
        loop {
            let answer = search(souk, "first: 1").await;
            if answer["isRebuilding"] == false && answer["totalCount"] == products {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the index is whole in the end");
}

/// A database with products, and a folder for the index of it.
async fn filled(engine: Engine, products: usize) -> Option<(Store, PathBuf)> {
    let store = support::store(engine).await?;
    let market = Market::start(&store, Relays::Running).await;
    let ada = market.seller("Ada's").await;
    let listings = (0..products).map(|number| listing(&format!("Thing {number}"), ada.seller.unwrap()));
    load(market.env("catalog"), listings.collect()).await.unwrap();
    market.stop().await;
    let folder = std::env::temp_dir().join(format!("souk-it-search-{}", uuid::Uuid::now_v7()));
    fs::create_dir(&folder).unwrap();
    Some((store, folder))
}

/// The folder of the index that serves.
fn current(folder: &Path) -> PathBuf {
    folder.join("search").join(fs::read_to_string(folder.join("search/current")).unwrap().trim())
}

async fn catalog_env(souk: &souk::Market) -> &chassis::Env {
    &souk.services.iter().find(|service| service.name.as_str() == "catalog").unwrap().env
}

async fn an_index_outlives_its_process(engine: Engine) {
    let Some((store, folder)) = filled(engine, 30).await else { return };
    let souk = open(&store, &folder).await;
    assert_eq!(search(&souk, "query: \"thing\"").await["isRebuilding"], true, "nothing is open yet");
    follow(&souk);
    whole(&souk, 30).await;
    souk.stop().await;
    let first = current(&folder);
    let souk = open(&store, &folder).await;
    follow(&souk);
    whole(&souk, 30).await;
    assert_eq!(current(&folder), first, "the same files");
    souk.stop().await;
    fs::remove_dir_all(folder).unwrap();
    store.remove().await;
}

async fn damaged_files_are_built_anew(engine: Engine) {
    let Some((store, folder)) = filled(engine, 30).await else { return };
    let damages: [fn(&Path); 5] = [
        |index| fs::remove_file(index.join("meta.json")).unwrap(),
        |index| fs::write(index.join("meta.json"), "{ \"segments\": [").unwrap(),
        |index| fs::remove_dir_all(index).unwrap(),
        |index| for_segments(index, |file| fs::remove_file(file).unwrap()),
        |index| {
            for_segments(index, |file| {
                let mut bytes = fs::read(&file).unwrap();
                let middle = bytes.len() / 3;
                bytes[middle] ^= 0xff;
                fs::write(file, bytes).unwrap();
            })
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let souk = open(&store, &folder).await;
        follow(&souk);
        whole(&souk, 30).await;
        souk.stop().await;
        let before = current(&folder);
        damage(&before);
        let souk = open(&store, &folder).await;
        follow(&souk);
        whole(&souk, 30).await;
        assert_eq!(
            search(&souk, "query: \"thing 7\"").await["nodes"][0]["title"],
            "Thing 7",
            "damage {number}"
        );
        souk.stop().await;
        assert_ne!(current(&folder), before, "damage {number}");
        assert!(!before.exists(), "what is of no use is removed");
    }
    fs::remove_dir_all(folder).unwrap();
    store.remove().await;
}

fn for_segments(index: &Path, work: impl Fn(PathBuf)) {
    let files = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path());
    let of_terms = files.filter(|file| file.extension().is_some_and(|kind| kind == "term"));
    of_terms.for_each(work);
}

async fn an_index_of_another_database_is_of_no_use(engine: Engine) {
    let Some((one, folder)) = filled(engine, 3).await else { return };
    let Some((other, spare)) = filled(engine, 5).await else { return };
    tell_apart(&other, &spare).await;
    for (store, products) in [(&one, 3), (&other, 5), (&one, 3)] {
        let souk = open(store, &folder).await;
        follow(&souk);
        whole(&souk, products).await;
        souk.stop().await;
    }
    fs::remove_dir_all(folder).unwrap();
    fs::remove_dir_all(spare).unwrap();
    one.remove().await;
    other.remove().await;
}

/// On PostgreSQL the databases of tests are copies of one: gives this one a name of its own.
async fn tell_apart(store: &Store, folder: &Path) {
    let souk = open(store, folder).await;
    let db = catalog_env(&souk).await.db.write();
    let sql = format!("update search_feed set id = '{}'", uuid::Uuid::now_v7());
    if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        db.execute_unprepared(&sql).await.unwrap();
    }
    souk.stop().await;
}

async fn a_rebuild_takes_over_while_the_old_index_serves(engine: Engine) {
    let Some((store, folder)) = filled(engine, 30).await else { return };
    let souk = open(&store, &folder).await;
    follow(&souk);
    whole(&souk, 30).await;
    let before = current(&folder);
    let beside = open(&store, &folder).await;
    let rebuilt = catalog::search::rebuild(catalog_env(&beside).await).await.unwrap();
    assert_eq!(rebuilt.products, 30);
    assert_ne!(current(&folder), before);
    assert_eq!(search(&souk, "query: \"thing 7\"").await["nodes"][0]["title"], "Thing 7");
    tokio::time::timeout(CATCH_UP_TIMEOUT, async {
        while before.exists() {
            assert_eq!(search(&souk, "first: 1").await["totalCount"], 30, "never less than everything");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the new index serves in the end, and the old one is removed");
    whole(&souk, 30).await;
    beside.stop().await;
    souk.stop().await;
    fs::remove_dir_all(folder).unwrap();
    store.remove().await;
}

/// The work of a child: builds an index, saying how far it is by the files there are.
pub async fn rebuild_for_ever(market: &souk::Market) {
    say_done("start");
    loop {
        catalog::search::rebuild(catalog_env(market).await).await.unwrap();
        say_done("rebuilt");
    }
}

async fn a_rebuild_goes_on_where_it_was_killed(engine: Engine) {
    let Some((store, folder)) = filled(engine, PRODUCTS).await else { return };
    for wait_ms in [0, 20, 60, 120, 200] {
        let mut worker = Worker::start_in("rebuild", &store, &folder);
        worker.done();
        // Not a wait for something: where in its work the child is killed.
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        worker.kill();
    }
    let souk = open(&store, &folder).await;
    let rebuilt = catalog::search::rebuild(catalog_env(&souk).await).await.unwrap();
    assert_eq!(rebuilt.products, PRODUCTS as u64);
    follow(&souk);
    whole(&souk, PRODUCTS).await;
    souk.stop().await;
    fs::remove_dir_all(folder).unwrap();
    store.remove().await;
}

/// One test on both engines.
macro_rules! on_both {
    ($($name:ident)+) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(chassis::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(chassis::Engine::Postgres).await;
            }
        }
    )+ };
}

on_both! {
    an_index_outlives_its_process
    damaged_files_are_built_anew
    an_index_of_another_database_is_of_no_use
    a_rebuild_takes_over_while_the_old_index_serves
    a_rebuild_goes_on_where_it_was_killed
}
