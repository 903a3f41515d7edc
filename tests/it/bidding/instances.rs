//! Several processes on one PostgreSQL: one of them decides about a market, and a command reaches it wherever it comes in.

use std::time::Duration;

use chassis::auth::{ClusterSecret, Role};
use chassis::{Database, Engine};
use chrono::TimeDelta;
use entity::bidding::{order, partition};
use futures::future::join_all;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder, TransactionTrait};
use serde_json::{Value, json};

use super::instance::{Bystander, Instance, secret};
use super::pit::{Pit, again, code, run_job, status};
use crate::crash::child::Worker;
use crate::support::{self, Market, Person, Relays, Store};

/// An address at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_answers_reads_and_takes_over_at_the_end() {
    let Some(store) = support::store(Engine::Postgres).await else { return };
    let (one, other) =
        (Market::start(&store, Relays::Running).await, Market::start(&store, Relays::Silent).await);
    let pit = Pit::open(&one).await;
    assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    one.settle().await;

    let seller = Person {
        token: other.minter.token(pit.seller.user, &[Role::Buyer, Role::Seller], other.clock.now()),
        ..pit.seller.clone()
    };
    let place = async || ask_at(&other, &seller, pit.ask_input(19_000)).await;
    assert_not_now(&place().await);
    let read = "query($id: ID!) { market(variantId: $id) { lowestAsk { amountMinor } } }";
    let seen = other.data("bidding", None, read, json!({ "id": pit.variant })).await;
    assert_eq!(seen["market"]["lowestAsk"]["amountMinor"], 20_000);

    one.stop().await;
    let taken = place().await;
    assert_eq!(taken["data"]["placeAsk"]["order"]["status"], "OPEN", "{taken}");
    let seen = other.data("bidding", None, read, json!({ "id": pit.variant })).await;
    assert_eq!(seen["market"]["lowestAsk"]["amountMinor"], 19_000, "what was there is there");
    other.stop().await;
    store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mutation_works_where_the_market_is_not() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let (seller, buyer) = (pit.seller.clone(), other.market.buyer());

    assert_eq!(status(&pit.ask(&seller, 20_000).await), "OPEN");
    assert_eq!(pit.quote().await, [Some(20_000), None, None], "whoever asked sees it");
    let bid = pit.bid(&buyer, 18_000).await;
    assert_eq!((status(&bid), pit.quote().await[1]), ("OPEN", Some(18_000)));
    let amended = pit.amend(&buyer, &bid["order"]["id"], json!({ "priceMinor": 20_000 })).await;
    assert_eq!((status(&amended), &amended["order"]["filled"]), ("FILLED", &json!(1)));
    assert_eq!(pit.quote().await, [None, None, Some(20_000)]);

    let ask = pit.ask(&seller, 21_000).await;
    assert_eq!(status(&pit.cancel(&seller, &ask["order"]["id"]).await), "CANCELLED");
    assert_eq!(code(&pit.cancel(&seller, &ask["order"]["id"]).await), "NOT_ACTIVE");
    pit.bid(&buyer, 15_000).await;
    let sold = pit.sell_now(&seller, 15_000).await;
    assert_eq!((status(&sold), &sold["matches"][0]["price"]["amountMinor"]), ("FILLED", &json!(15_000)));
    let backed = pit.ask_backed(22_000, 3).await;
    for (quantity, told) in [(2, "OPEN"), (3, "BACKED_BY_STOCK")] {
        let amended = pit.amend(&seller, &backed["order"]["id"], json!({ "quantity": quantity })).await;
        assert_eq!(if quantity == 2 { status(&amended) } else { code(&amended) }, told);
    }
    assert_eq!(status(&pit.buy_now(&buyer, 22_000).await), "FILLED");
    let moved = pit.buy_now(&buyer, 21_000).await;
    assert_eq!(code(&moved), "PRICE_MOVED");
    assert_eq!(moved["userErrors"][0]["lowestAsk"]["amountMinor"], 22_000, "the price of now");

    assert_eq!(switch(&pit, "pauseSelling").await, true);
    other.market.settle().await;
    assert_eq!(pit.quote().await[0], None);
    assert_eq!(code(&pit.ask(&seller, 20_000).await), "SELLING_PAUSED");
    assert_eq!(switch(&pit, "resumeSelling").await, false);
    assert_eq!(status(&pit.ask(&seller, 23_000).await), "OPEN");

    list(&pit, json!([{ "marketId": pit.id, "priceMinor": 19_000 }])).await;
    for instance in [&other, &one] {
        run_job(&instance.market, "bidding.batches").await;
    }
    assert_eq!(pit.quote().await[0], Some(19_000), "whoever decides places them");
    let pieces: Vec<i64> = pit.matched().await.iter().map(|matched| matched.price.amount_minor).collect();
    assert_eq!(pieces, [20_000, 15_000, 22_000]);
    assert_eq!(owners(&other).await, [(one.address.clone(), 1)], "nobody else ever wrote");
    end(store, [one, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_does_nothing_twice() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let buyer = other.market.buyer();
    pit.ask(&pit.seller, 20_000).await;
    let asked = one.line.asked();

    one.line.lose_one();
    let bid = pit.bid(&buyer, 10_000).await;
    assert_eq!((status(&bid), one.line.asked() - asked), ("OPEN", 2), "it was asked for twice");
    one.line.lose_one();
    let amended = pit.amend(&buyer, &bid["order"]["id"], json!({ "priceMinor": 11_000 })).await;
    assert_eq!((status(&amended), pit.quote().await[1]), ("OPEN", Some(11_000)));
    one.line.lose_one();
    assert_eq!(status(&pit.cancel(&buyer, &bid["order"]["id"]).await), "CANCELLED");
    one.line.lose_one();
    let bought = pit.buy_now(&buyer, 20_000).await;
    assert_eq!((status(&bought), &bought["order"]["filled"]), ("FILLED", &json!(1)));
    assert_eq!(bought["matches"], json!([{ "price": { "amountMinor": 20_000 }, "quantity": 1 }]));
    one.line.lose_one();
    assert_eq!(switch(&pit, "pauseSelling").await, true);

    assert_eq!(pit.matched().await.len(), 1);
    assert_eq!(orders(&other).await, 3, "an ask, a bid and what was bought");
    end(store, [one, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_the_secret_is_not_heard() {
    let Some(store) = support::cluster::store() else { return };
    let one = Instance::start(&store, &secret("a")).await;
    let stranger = Instance::start(&store, &secret("b")).await;
    let pit = Pit::open(&one.market).await.moved_to(&stranger.market);
    let refused = ask_at(&stranger.market, &pit.seller, pit.ask_input(20_000));
    assert_not_now(&tokio::time::timeout(Duration::from_secs(2), refused).await.expect("it does not insist"));
    assert_eq!((one.line.asked(), orders(&one).await), (1, 0));

    for (shown, status) in [(None, 403), (Some(secret("c")), 403), (Some(secret("a")), 400)] {
        let request = reqwest::Client::new().post(format!("{}/subgraphs/bidding/errands", one.address));
        let request = match shown {
            Some(secret) => request.header(ClusterSecret::HEADER, secret.header()),
            None => request,
        };
        assert_eq!(request.body("no errand").send().await.unwrap().status(), status);
    }

    // The first was not started anew yet, the second knows both.
    stranger.market.stop().await;
    let both = ClusterSecret::new("b".repeat(32).into(), Some("a".repeat(32).into())).unwrap();
    let newer = Instance::start(&store, &both).await;
    let pit = pit.moved_to(&newer.market);
    assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    end(store, [one, newer]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_address_is_looked_up_again_and_nobody_hands_on() {
    let Some((store, one, other)) = two().await else { return };
    let bystander = Bystander::start(support::plan(&store), one.market.clock.clone(), &secret("a")).await;
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let place = async { assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN") };
    let correct = async {
        for (stale, wait_ms) in [(NOBODY, 300), (bystander.address.as_str(), 900)] {
            point_to(&other, stale).await;
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        assert!(bystander.line.asked() > 0);
        assert_eq!(one.line.asked(), 0, "a bystander refuses, and hands nothing on");
        point_to(&other, &one.address).await;
    };
    point_to(&other, NOBODY).await;
    tokio::join!(place, correct);
    one.market.settle().await;
    assert_eq!((one.line.asked(), orders(&one).await), (1, 1));
    bystander.souk.stop().await;
    end(store, [one, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_outlives_whoever_did_it_and_never_answered() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    assert_eq!(status(&pit.bid(&other.market.buyer(), 10_000).await), "OPEN");
    // One does what it is asked for and hangs: it renews no lease.
    one.line.go_mute();
    other.market.clock.advance(TimeDelta::seconds(6));
    assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    assert_eq!((one.line.asked(), orders(&other).await), (2, 2));
    assert_eq!(owners(&other).await, [(other.address.clone(), 2)]);

    // It comes back, and finds out that it decides no more.
    let pit = pit.moved_to(&one.market);
    assert_eq!(status(&pit.bid(&one.market.buyer(), 20_000).await), "FILLED");
    assert_eq!(other.line.asked(), 1);
    one.market.settle().await;
    assert_eq!(orders(&one).await, 3);
    end(store, [one, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_instance_hands_over_and_no_client_notices() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let buyer = other.market.buyer();
    pit.bid(&buyer, 10_000).await;
    let bids = async {
        for price in 101..160 {
            assert_eq!(status(&pit.bid(&buyer, price * 100).await), "OPEN");
        }
    };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        one.market.stop().await;
    };
    tokio::join!(bids, stop);
    assert_eq!(owners(&other).await, [(other.address.clone(), 2)]);
    other.market.settle().await;
    assert_eq!((orders(&other).await, pit.quote().await[1]), (60, Some(15_900)));
    end(store, [other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bids_at_one_process_survive_the_kill_of_the_other_that_decides() {
    let Some(store) = support::cluster::store() else { return };
    let first = Instance::start(&store, &secret("a")).await;
    let pit = Pit::open(&first.market).await;
    first.market.stop().await;
    let mut decides = Worker::start_later("decide", &store, TimeDelta::zero());
    let address = decides.done().unwrap();
    let other = Instance::start(&store, &secret("a")).await;
    let pit = pit.moved_to(&other.market);
    let buyer = other.market.buyer();

    let bid = async |price: i64| status(&pit.bid(&buyer, price).await).to_owned();
    assert_eq!(bid(10_000).await, "OPEN");
    assert_eq!(owners(&other).await, [(address, 2)], "the child decided");
    let kill = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        decides.kill();
        // Its lease ends by the clock of who waits for it.
        other.market.clock.advance(TimeDelta::minutes(1));
    };
    let (bids, ()) = tokio::join!(join_all((101..140).map(|price| bid(price * 100))), kill);
    assert!(bids.iter().all(|status| status == "OPEN"), "{bids:?}");
    other.market.settle().await;
    assert_eq!((orders(&other).await, pit.quote().await[1]), (40, Some(13_900)), "each once");
    assert_eq!(owners(&other).await, [(other.address.clone(), 3)]);
    end(store, [other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_shown_while_the_rows_lag_behind() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let buyer = other.market.buyer();
    let (high, low) = (pit.ask(&pit.seller, 21_000).await, pit.ask(&pit.seller, 20_000).await);
    let bid = pit.bid(&buyer, 10_000).await;
    other.market.settle().await;

    let behind = db(&other).write().begin().await.unwrap();
    behind.execute_unprepared("select 1 from bidding_watermark for update").await.unwrap();
    let placed = pit.bid(&buyer, 12_000).await;
    assert_eq!((status(&placed), pit.quote().await), ("OPEN", [Some(20_000), Some(12_000), None]));
    let amended = pit.amend(&buyer, &bid["order"]["id"], json!({ "priceMinor": 20_000 })).await;
    assert_eq!((status(&amended), &amended["order"]["filled"]), ("FILLED", &json!(1)));
    assert_eq!(status(&pit.cancel(&pit.seller, &high["order"]["id"]).await), "CANCELLED");
    assert_eq!(pit.quote().await, [None, Some(12_000), Some(20_000)]);
    let gone = pit.cancel(&pit.seller, &low["order"]["id"]).await;
    assert_eq!((code(&gone), &gone["userErrors"][0]["status"]), ("NOT_ACTIVE", &json!("FILLED")));
    behind.rollback().await.unwrap();

    other.market.settle().await;
    assert_eq!(pit.quote().await, [None, Some(12_000), Some(20_000)]);
    let rows =
        order::Entity::find().order_by_asc(order::Column::Number).all(db(&other).read()).await.unwrap();
    let told = |row: &order::Model| (row.price_minor, row.remaining, row.filled);
    let rows: Vec<_> = rows.iter().map(told).collect();
    assert_eq!(rows, [(21_000, 0, 0), (20_000, 0, 1), (20_000, 0, 1), (12_000, 1, 0)]);
    end(store, [one, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_counts_where_it_came_in_and_nowhere_else() {
    let Some((store, one, other)) = two().await else { return };
    let pit = Pit::open(&one.market).await.moved_to(&other.market);
    let buyer = other.market.buyer();
    let id = pit.bid(&buyer, 10_000).await["order"]["id"].clone();
    let at_once = bidding::rules::Rules::default().commands_at_once;
    for _ in 1..at_once {
        pit.cancel(&buyer, &id).await;
    }
    let query = "mutation($input: CancelBookOrderInput!) { cancelBookOrder(input: $input) { order { id } } }";
    let input = json!({ "input": { "id": id, "idempotencyKey": "one more" } });
    let limited = other.market.ask("bidding", Some(&buyer), query, input).await;
    assert_eq!(limited["errors"][0]["extensions"]["code"], "RATE_LIMITED", "{limited}");
    assert_eq!(one.line.asked(), at_once as usize);
    let pit = pit.moved_to(&one.market);
    assert_eq!(code(&pit.cancel(&again(&one.market, &buyer), &id).await), "NOT_ACTIVE");
    end(store, [one, other]).await;
}

/// Two instances that know each other.
async fn two() -> Option<(Store, Instance, Instance)> {
    let store = support::cluster::store()?;
    let one = Instance::start(&store, &secret("a")).await;
    let other = Instance::start(&store, &secret("a")).await;
    Some((store, one, other))
}

async fn end<const N: usize>(store: Store, instances: [Instance; N]) {
    for instance in &instances {
        instance.market.stop().await;
    }
    store.remove().await;
}

/// The whole answer to an ask.
async fn ask_at(market: &Market, by: &Person, input: Value) -> Value {
    let query = "mutation($input: PlaceAskInput!) { placeAsk(input: $input) { order { status } } }";
    market.ask("bidding", Some(by), query, json!({ "input": input })).await
}

fn assert_not_now(answer: &Value) {
    let extensions = &answer["errors"][0]["extensions"];
    let told = (extensions["code"].as_str(), extensions["retryable"].as_bool());
    assert_eq!(told, (Some("UNAVAILABLE"), Some(true)), "{answer}");
}

/// Whether the seller of the pit pauses after this.
async fn switch(pit: &Pit<'_>, mutation: &str) -> Value {
    let query = format!("mutation {{ it: {mutation} {{ selling {{ paused }} }} }}");
    pit.market.data("bidding", Some(&pit.seller), &query, json!({})).await["it"]["selling"]["paused"].take()
}

async fn list(pit: &Pit<'_>, asks: Value) {
    let query = "mutation($input: ListAsksInput!) { it: listAsks(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "idempotencyKey": pit.key(), "asks": asks } });
    let listed = pit.market.data("bidding", Some(&pit.seller), query, input).await;
    assert_eq!(listed["it"]["userErrors"], json!([]));
}

fn db(instance: &Instance) -> &Database {
    &instance.market.env("bidding").db
}

async fn orders(instance: &Instance) -> u64 {
    order::Entity::find().count(db(instance).read()).await.unwrap()
}

/// Who took each partition last, and how many did until then.
async fn owners(instance: &Instance) -> Vec<(String, i64)> {
    let rows = partition::Entity::find().all(db(instance).read()).await.unwrap();
    rows.into_iter().map(|row| (row.address.unwrap(), row.epoch)).collect()
}

async fn point_to(instance: &Instance, address: &str) {
    let moved = partition::Entity::update_many().col_expr(partition::Column::Address, Expr::val(address));
    moved.exec(db(instance).write()).await.unwrap();
}
