//! A feed's batch under `kill -9`.

use chassis::{Engine, Env};
use contract::OfferId;
use entity::inventory::{feed, feed_batch, stock_level, stock_movement};
use inventory::feed::batch::{self, Sent};
use inventory::feed::line::Format;
use sea_orm::{EntityTrait, PaginatorTrait};

use super::child::{Worker, say_done};
use crate::feeds::killed_shop;
use crate::support::{self, Market, Relays};

const LINES: usize = 4_000;
pub const GOODS: usize = 20;
const KILLS: i32 = 3;

/// The work of a child: the batch, once.
pub async fn feed(market: &souk::Market) {
    let env = &market.services.iter().find(|service| service.name.as_str() == "inventory").unwrap().env;
    say_done("start");
    send(env).await;
    say_done("end");
}

async fn send(env: &Env) -> batch::Taken {
    let feed = feed::Entity::find().one(env.db.read()).await.unwrap().unwrap();
    let sent_at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let body = body();
    let sent = Sent { feed, key: "killed".into(), sent_at, format: Format::Csv, body: body.as_bytes() };
    batch::take(env, sent).await.unwrap().unwrap()
}

fn quantity(line: usize) -> usize {
    line * 7 % 101
}

fn body() -> String {
    let lines = (0..LINES).map(|line| format!("SKU {},{},{line}\n", line % GOODS, quantity(line)));
    std::iter::once("sku,quantity,sequence\n".to_owned()).chain(lines).collect()
}

async fn progress(env: &Env) -> Option<feed_batch::Model> {
    feed_batch::Entity::find().one(env.db.read()).await.unwrap()
}

async fn a_batch_goes_on_where_it_was_killed(engine: Engine) {
    let Some(store) = support::store(engine).await else { return };
    let market = Market::start(&store, Relays::Running).await;
    let offers: Vec<OfferId> = killed_shop(&market, GOODS).await;
    let env = market.env("inventory");
    let mut seen = vec![];
    for kill in 1..=KILLS {
        let mut worker = Worker::start("feed", &store);
        assert_eq!(worker.done().as_deref(), Some("start"));
        while progress(env).await.is_none_or(|batch| batch.lines_done < kill * 1_000) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        worker.kill();
        seen.push(progress(env).await.unwrap().lines_done);
    }
    assert!(seen[0] < LINES as i32, "the first was killed in the middle: {seen:?}");
    let taken = send(env).await;
    assert_eq!(taken.answer.results.len(), LINES);
    assert!(taken.answer.results.iter().zip(1..).all(|(answer, line)| answer.line == line));
    let db = env.db.read();
    let moved = stock_movement::Entity::find().count(db).await.unwrap();
    assert_eq!(moved, taken.answer.applied as u64, "nothing was done twice");
    assert_eq!(taken.answer.applied + taken.answer.unchanged, LINES as i32);
    for (number, offer) in offers.iter().enumerate() {
        let level = stock_level::Entity::find_by_id(*offer).one(db).await.unwrap().unwrap();
        assert_eq!(level.on_hand as usize, quantity(LINES - GOODS + number));
    }
    let report = inventory::verify(&env.db).await.unwrap();
    assert!(report.is_right(), "{report}");
    market.settle().await;
    market.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_goes_on_where_it_was_killed_on_sqlite() {
    a_batch_goes_on_where_it_was_killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_goes_on_where_it_was_killed_on_postgres() {
    a_batch_goes_on_where_it_was_killed(Engine::Postgres).await;
}
