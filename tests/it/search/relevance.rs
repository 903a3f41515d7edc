//! The obvious answer comes first: real queries on 10,000 real books and the sneakers.

use std::io::Write;

use chassis::Engine;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::*;
use crate::support::{self, Relays};

/// Of a hundred queries, those whose answer must be first, and among the first five.
const FIRST_PERCENT: usize = 95;
const TOP_FIVE_PERCENT: usize = 99;
/// Of a hundred mistyped queries, those that get the suggestion which a reader expects.
const CORRECTED_PERCENT: usize = 90;

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

/// What somebody mistyped, and what they are asked whether they meant it; nothing: they are not asked.
#[derive(Deserialize)]
struct Mistyped {
    query: String,
    expected: String,
    kind: String,
}

fn mistyped() -> Vec<Mistyped> {
    let mut reader = csv::Reader::from_reader(include_bytes!("corrections.csv").as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

/// Runs `test` on a market with the real goods, all in the index.
pub(super) async fn among_real_goods(test: impl for<'m> FnOnce(&'m Market) -> BoxFuture<'m, ()>) {
    let store = support::store(Engine::Sqlite).await.unwrap();
    let market = Market::start(&store, Relays::Silent).await;
    let shops = [contract::SellerId::new(), contract::SellerId::new()];
    let goods = souk::demo::goods(vec![shops[0], shops[0]], vec![shops[1], shops[1]]);
    let loaded = load(market.env("catalog"), one_offer_each(goods.unwrap())).await.unwrap();
    assert_eq!((loaded.products, loaded.refused.len()), (10_050, 0));
    follow(&market.souk);
    built(&market).await;
    test(&market).await;
    market.stop().await;
    store.remove().await;
}

/// Past the test runner, which would hide it.
pub(super) fn say(report: &str) {
    std::io::stderr().write_all(report.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_obvious_answer_comes_first() {
    among_real_goods(|market| answers_are_the_obvious_ones(market).boxed()).await;
}

async fn answers_are_the_obvious_ones(market: &Market) {
    let misses = misses(market).await;
    let all = wishes().len();
    let first = all - misses.len();
    let five = all - misses.iter().filter(|(_, place)| place.is_none()).count();
    let lines = misses
        .iter()
        .map(|(wish, place)| format!("{} {:?}: {} is at {place:?}\n", wish.kind, wish.query, wish.expected));
    let report = format!("of {all} queries {first} have their answer first, {five} among the first five\n");
    say(&(report.clone() + &lines.collect::<String>()));
    assert!(first * 100 >= all * FIRST_PERCENT && five * 100 >= all * TOP_FIVE_PERCENT, "{report}");
    what_nobody_rates_is_not_unknown(market).await;
}

/// There are famous books by a Jordan, each the first of a series: the three sneakers are not behind them. One book has both words
/// in a row in its title, as they have.
async fn what_nobody_rates_is_not_unknown(market: &Market) {
    let query = "{ search(query: \"jordan 1\", first: 4) { nodes { title } } }";
    let answer = ask(market, query, json!({})).await;
    let titles =
        answer["search"]["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap());
    assert_eq!(titles.filter(|title| title.starts_with("Air Jordan 1")).count(), 3, "{answer:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_mistypes_is_asked_whether_they_meant_what_there_is() {
    among_real_goods(|market| suggestions_are_the_expected_ones(market).boxed()).await;
}

async fn suggestions_are_the_expected_ones(market: &Market) {
    let query = "query($query: String) { search(query: $query, first: 1) { didYouMean } }";
    let (all, mut missed) = (mistyped(), vec![]);
    for one in &all {
        let answer = ask(market, query, json!({ "query": one.query })).await;
        let suggested = answer["search"]["didYouMean"].as_str().unwrap_or_default();
        if suggested != one.expected {
            missed
                .push(format!("{} {:?}: {suggested:?} instead of {:?}\n", one.kind, one.query, one.expected));
        }
        // A suggestion that finds nothing as it is written would be answered with another one.
        if !suggested.is_empty() {
            let again = ask(market, query, json!({ "query": suggested })).await;
            assert_eq!(again["search"]["didYouMean"], Value::Null, "{:?}: {suggested:?}", one.query);
        }
    }
    let right = all.len() - missed.len();
    let report = format!("of {} mistyped queries {right} get the expected suggestion\n", all.len());
    say(&(report.clone() + &missed.concat()));
    assert!(right * 100 >= all.len() * CORRECTED_PERCENT, "{report}");
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
