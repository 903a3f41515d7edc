//! What the flags of markets change for those who trade: each is given as on the command line.

use std::collections::BTreeSet;
use std::path::Path;

use bidding::number::order_of;
use chassis::Engine;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use entity::inventory::reservation;
use futures::future::BoxFuture;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use souk::market::ALL;
use souk::settings::Settings;

use super::pit::{Pit, code, open_market, status, tell_engine};
use crate::support::goods::Goods;
use crate::support::{self, Market, Person, Relays, Store};

/// The options of `souk serve` that say where rows are kept and what holds for markets.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

fn flags(store: &Store, folder: &Path, given: &str) -> Settings {
    let databases = ALL.map(|name| format!("--{name}-database-url={}", store.url(name.as_str())));
    let folder = format!("--data-dir={}", folder.display());
    let given = given.split_whitespace().map(str::to_owned);
    let all = ["souk".to_owned(), folder].into_iter().chain(databases).chain(given);
    Flags::try_parse_from(all).unwrap().settings
}

/// Runs `test` on a marketplace that was started with these flags.
async fn run(engine: Engine, given: &str, test: impl for<'m> FnOnce(&'m Market) -> BoxFuture<'m, ()>) {
    let Some(store) = support::store(engine).await else { return };
    let folder = std::env::temp_dir().join(format!("souk-flags-{}", uuid::Uuid::now_v7()));
    let plan = flags(&store, &folder, given).plan(&ALL).unwrap();
    let market = Market::open(&plan, Relays::Running, support::start()).await;
    test(&market).await;
    market.settle().await;
    market.stop().await;
    store.remove().await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// A test on both engines, with the flags that come after its name.
macro_rules! with_flags {
    ($(async fn $name:ident($market:ident: &Market, $flags:literal) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($market: &Market) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(Engine::Sqlite, $flags, |market| Box::pin(test(market))).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(Engine::Postgres, $flags, |market| Box::pin(test(market))).await;
            }
        }
    )*};
}

/// Opens one more market: its id.
async fn one_more(pit: &Pit<'_>, title: &str) -> String {
    let variant = Goods::stock(pit.market, &pit.seller, title, 1).await.variant;
    let input = json!({ "variantId": variant, "currency": "USD" });
    let opened = open_market(pit.market, &pit.market.admin(), input).await;
    opened["market"]["id"].as_str().unwrap().to_owned()
}

async fn bid_in(pit: &Pit<'_>, market: &str, by: &Person, price: i64) -> Value {
    let mut input = pit.bid_input(price);
    input["marketId"] = json!(market);
    pit.place("placeBid", "PlaceBidInput", by, input).await
}

/// The partitions of new markets, as the ids of their orders have them.
async fn partitions(market: &Market) -> BTreeSet<u32> {
    let pit = Pit::open(market).await;
    let mut partitions = BTreeSet::new();
    for title in ["Walker 43", "Skater 44", "Jumper 45", "Climber 46"] {
        let id = one_more(&pit, title).await;
        let bid = bid_in(&pit, &id, &market.buyer(), 10_000).await;
        assert_eq!(status(&bid), "OPEN");
        let id = bid["order"]["id"].as_str().unwrap().parse().unwrap();
        partitions.insert(order_of(id).unwrap().0);
    }
    partitions
}

with_flags! {
    async fn an_account_has_as_many_orders_in_a_market_as_the_flag_says(market: &Market, "--market-orders-per-market 2") {
        let pit = Pit::open(market).await;
        tell_engine(market).await;
        let (ada, bob) = (market.buyer(), market.buyer());
        let first = pit.bid(&ada, 10_000).await;
        assert_eq!((status(&first), status(&pit.bid(&ada, 10_100).await)), ("OPEN", "OPEN"));
        let refused = pit.bid(&ada, 10_200).await;
        assert_eq!((code(&refused), &refused["userErrors"][0]["max"]), ("TOO_MANY_IN_MARKET", &json!(2)));
        assert_eq!(status(&pit.bid(&bob, 10_200).await), "OPEN", "each has as many");
        let other = one_more(&pit, "Walker 43").await;
        assert_eq!(status(&bid_in(&pit, &other, &ada, 10_200).await), "OPEN", "in each market");
        assert_eq!(status(&pit.cancel(&ada, &first["order"]["id"]).await), "CANCELLED");
        assert_eq!(status(&pit.bid(&ada, 10_200).await), "OPEN");
    }

    async fn an_account_has_as_many_orders_in_all_as_the_flag_says(market: &Market, "--market-orders 2 --market-partitions 1") {
        let pit = Pit::open(market).await;
        let markets = [pit.id.clone(), one_more(&pit, "Walker 43").await];
        tell_engine(market).await;
        let ada = market.buyer();
        for market in &markets {
            assert_eq!(status(&bid_in(&pit, market, &ada, 10_000).await), "OPEN");
        }
        for market in &markets {
            let refused = bid_in(&pit, market, &ada, 10_100).await;
            assert_eq!((code(&refused), &refused["userErrors"][0]["max"]), ("TOO_MANY", &json!(2)));
        }
    }

    async fn an_account_sends_as_much_as_the_flags_say(market: &Market, "--market-commands-per-second 2 --market-commands-at-once 3") {
        let pit = Pit::open(market).await;
        let ada = market.buyer();
        for price in [10_000, 10_100, 10_200] {
            assert_eq!(status(&pit.bid(&ada, price).await), "OPEN");
        }
        let query = "mutation($input: PlaceBidInput!) { placeBid(input: $input) { userErrors { code } } }";
        let input = json!({ "input": pit.bid_input(10_300) });
        let refused = market.ask("bidding", Some(&ada), query, input.clone()).await;
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["retryAfterMs"]), (&json!("RATE_LIMITED"), &json!(500)), "{refused}");
        market.clock.advance(TimeDelta::milliseconds(500));
        let taken = market.data("bidding", Some(&ada), query, input.clone()).await;
        assert_eq!(taken["placeBid"]["userErrors"], json!([]));
        assert!(market.ask("bidding", Some(&ada), query, input).await.get("errors").is_some(), "one more at a time");
    }

    async fn all_markets_are_in_one_partition(market: &Market, "--market-partitions 1") {
        assert_eq!(partitions(market).await, BTreeSet::from([0]));
    }

    async fn markets_are_spread_over_as_many_partitions_as_the_flag_says(market: &Market, "--market-partitions 256") {
        let partitions = partitions(market).await;
        assert_eq!(partitions.len() > 1, market.engine() == Engine::Postgres, "a file takes one commit at a time: {partitions:?}");
    }

    async fn stock_is_kept_as_long_as_a_match_at_the_last_moment_needs(market: &Market, "--trade-ship-days 20 --trade-confirm-minutes 30") {
        let pit = Pit::open(market).await;
        let ask = pit.ask_backed(20_000, 1).await;
        assert_eq!(status(&ask), "OPEN");
        let ends: DateTime<Utc> = ask["order"]["expiresAt"].as_str().unwrap().parse().unwrap();
        let kept = reservation::Entity::find().one(market.env("inventory").db.read()).await.unwrap().unwrap();
        assert_eq!(kept.expires_at - ends, TimeDelta::minutes(30) + TimeDelta::days(20 + 1));
    }
}
