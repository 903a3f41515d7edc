//! Stock as it changes, for those who watch.

use std::time::Duration;

use contract::VariantId;
use contract::event::catalog::Publication;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::{Value, json};

use super::Shop;
use crate::support::Market;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn watch(market: &Market, variables: Value) -> BoxStream<'static, Value> {
    let query = "subscription($offers: [ID!], $variants: [ID!]) {
        stockChanged(offerIds: $offers, variantIds: $variants) { available sequence offer { id } } }";
    market.subscribe("inventory", None, query, variables)
}

async fn next(feed: &mut BoxStream<'static, Value>) -> (i64, i64) {
    let answer = tokio::time::timeout(PATIENCE, feed.next()).await.expect("an update comes").unwrap();
    let update = &answer["data"]["stockChanged"];
    (update["available"].as_i64().unwrap_or_else(|| panic!("{answer}")), update["sequence"].as_i64().unwrap())
}

souk_test! {
    async fn a_watcher_sees_the_level_and_then_each_change(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let mut feed = watch(market, json!({ "offers": [offer, offer] }));
        assert_eq!(next(&mut feed).await, (10, 1));
        shop.reserve(offer, 4).await;
        assert_eq!(next(&mut feed).await, (6, 2));
        shop.does("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        assert_eq!(next(&mut feed).await, (7, 3));
    }

    async fn a_slow_watcher_gets_the_latest_level_and_never_a_queue(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(1).await;
        let mut slow = watch(market, json!({ "offers": [offer] }));
        let mut quick = watch(market, json!({ "offers": [offer] }));
        assert_eq!(next(&mut slow).await, (1, 1));
        assert_eq!(next(&mut quick).await, (1, 1));
        for _ in 0..50 {
            shop.does("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        }
        while next(&mut quick).await != (51, 51) {}
        let mut seen = vec![];
        while seen.last() != Some(&(51, 51)) {
            seen.push(next(&mut slow).await);
        }
        assert!(seen.len() <= 2, "{seen:?}");
    }

    async fn a_variants_watcher_sees_all_its_offers_even_later_ones(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let variant = VariantId::new();
        let first = shop.offer_of(variant, Publication::Published).await;
        shop.does("receiveStock", shop.at(first, json!({ "quantity": 5 }))).await;
        let mut feed = watch(market, json!({ "variants": [variant] }));
        assert_eq!(next(&mut feed).await, (5, 1));
        let second = shop.offer_of(variant, Publication::Published).await;
        shop.does("receiveStock", shop.at(second, json!({ "quantity": 7 }))).await;
        shop.does("receiveStock", shop.at(first, json!({ "quantity": 1 }))).await;
        let mut seen = vec![];
        while !(seen.contains(&(7, 1)) && seen.contains(&(6, 2))) {
            seen.push(next(&mut feed).await);
        }
    }

    async fn what_another_process_writes_is_seen_too(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let mut feed = watch(market, json!({ "offers": [offer] }));
        assert_eq!(next(&mut feed).await, (10, 1));
        // What this process does not say, as if another had.
        let sql = format!(
            "update stock_level set on_hand = 12, available = 12, version = 2 where offer_id = {}",
            literal(market, offer.0)
        );
        sea_orm::ConnectionTrait::execute_unprepared(market.env("inventory").db.write(), &sql).await.unwrap();
        assert_eq!(next(&mut feed).await, (12, 2));
    }

    async fn exactly_one_list_of_at_most_a_hundred_ids_is_watched(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer().await;
        let too_many = vec![offer; 101];
        for variables in [
            json!({}),
            json!({ "offers": [] }),
            json!({ "offers": too_many }),
            json!({ "offers": [offer], "variants": [VariantId::new()] }),
        ] {
            let answer = watch(market, variables).next().await.unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
    }
}

/// A uuid as each engine writes it.
fn literal(market: &Market, id: uuid::Uuid) -> String {
    match market.engine() {
        chassis::Engine::Sqlite => format!("x'{}'", id.simple()),
        chassis::Engine::Postgres => format!("'{id}'"),
    }
}
