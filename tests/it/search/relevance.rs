//! The obvious answer comes first: real queries on 10,000 real books and the sneakers.

use std::io::Write;

use chassis::Engine;
use serde::Deserialize;

use super::*;
use crate::support::{self, Relays};

/// Of a hundred queries, those whose answer must be first, and among the first five.
const FIRST_PERCENT: usize = 95;
const TOP_FIVE_PERCENT: usize = 99;

#[derive(Deserialize)]
struct Wish {
    query: String,
    /// The handle of the product that should be first.
    expected: String,
    kind: String,
}

fn wishes() -> Vec<Wish> {
    let mut reader = csv::Reader::from_reader(include_bytes!("queries.csv").as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_obvious_answer_comes_first() {
    let store = support::store(Engine::Sqlite).await.unwrap();
    let market = Market::start(&store, Relays::Silent).await;
    let shops = [contract::SellerId::new(), contract::SellerId::new()];
    let goods = souk::demo::goods(vec![shops[0], shops[0]], vec![shops[1], shops[1]]);
    let loaded = load(market.env("catalog"), one_offer_each(goods.unwrap())).await.unwrap();
    assert_eq!((loaded.products, loaded.refused.len()), (10_050, 0));
    follow(&market.souk);
    built(&market).await;
    let misses = misses(&market).await;
    let all = wishes().len();
    let first = all - misses.len();
    let five = all - misses.iter().filter(|(_, place)| place.is_none()).count();
    let lines = misses
        .iter()
        .map(|(wish, place)| format!("{} {:?}: {} is at {place:?}\n", wish.kind, wish.query, wish.expected));
    let report = format!("of {all} queries {first} have their answer first, {five} among the first five\n");
    std::io::stderr().write_all((report.clone() + &lines.collect::<String>()).as_bytes()).unwrap();
    assert!(first * 100 >= all * FIRST_PERCENT && five * 100 >= all * TOP_FIVE_PERCENT, "{report}");
    market.stop().await;
    store.remove().await;
}

/// A seller offers a thing once: the two shops that the demo draws are one here.
fn one_offer_each(mut goods: Vec<NewListing>) -> Vec<NewListing> {
    for variant in goods.iter_mut().flat_map(|listing| &mut listing.variants) {
        variant.offers.truncate(1);
    }
    goods
}

/// Waits for the index, without the events that nobody delivers here.
async fn built(market: &Market) {
    tokio::time::timeout(CATCH_UP_TIMEOUT, async {
        let query = "{ search(first: 1) { totalCount isRebuilding } }";
        let whole = json!({ "search": { "totalCount": 10_050, "isRebuilding": false } });
        while ask(market, query, json!({})).await != whole {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the index is built in the end");
}

/// The wishes whose answer is not first, and where it is among the first five.
async fn misses(market: &Market) -> Vec<(Wish, Option<usize>)> {
    let query = "query($query: String) { search(query: $query, first: 5) { nodes { handle } } }";
    let mut misses = vec![];
    for wish in wishes() {
        let answer = ask(market, query, json!({ "query": wish.query })).await;
        let nodes = answer["search"]["nodes"].as_array().unwrap();
        match nodes.iter().position(|node| node["handle"] == wish.expected) {
            Some(0) => {}
            place => misses.push((wish, place.map(|place| place + 1))),
        }
    }
    misses
}
