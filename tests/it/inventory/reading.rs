//! Reading stock: who sees what, now and as it was, and how many statements that takes.

use async_graphql::Variables;
use axum::http::HeaderMap;
use chassis::graph::Call;
use chrono::TimeDelta;
use contract::OfferId;
use serde_json::{Value, json};

use super::{Shop, call};
use crate::support::{Market, Person};

const ENTITIES: &str = "query($of: [_Any!]!) { _entities(representations: $of) {
    ... on Offer { available stock { available onHand locations { onHand location { name } } } }
    ... on Variant { stock { available } } } }";

async fn entities(market: &Market, by: Option<&Person>, kind: &str, ids: &[Value]) -> Value {
    let of: Vec<Value> = ids.iter().map(|id| json!({ "__typename": kind, "id": id })).collect();
    market.data("inventory", by, ENTITIES, json!({ "of": of })).await["_entities"].take()
}

souk_test! {
    async fn everybody_sees_what_is_available_and_only_the_owner_sees_the_rest(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let offer = shop.stocked(10).await;
        shop.reserve(offer, 4).await;
        let admin = market.admin();
        for (by, on_hand) in [(None, Value::Null), (Some(&other.seller), Value::Null), (Some(&shop.seller), json!(10)), (Some(&admin), json!(10))] {
            let shown = entities(market, by, "Offer", &[json!(offer)]).await;
            assert_eq!(shown[0]["available"], 6);
            assert_eq!(shown[0]["stock"]["onHand"], on_hand);
            assert_eq!(shown[0]["stock"]["locations"].is_null(), on_hand.is_null());
        }
        let query = "query($offer: ID!) { stockMovements(offerId: $offer) { edges { node { id } } } }";
        let log = market.data("inventory", Some(&other.seller), query, json!({ "offer": offer })).await;
        assert_eq!(log["stockMovements"], Value::Null);
        let denied = market.ask("inventory", None, query, json!({ "offer": offer })).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn an_offer_that_nobody_knows_has_nothing(market: &Market) {
        let shown = entities(market, None, "Offer", &[json!(OfferId::new())]).await;
        assert_eq!(shown, json!([{ "available": 0, "stock": null }]));
        let query = "{ stock(offerId: \"prd_00000000000000000000000000\") { available } }";
        let answer = market.ask("inventory", None, query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    silent async fn a_page_of_offers_takes_as_many_statements_as_one_offer(market: &Market) {
        let ids: Vec<Value> = (0..8).map(|_| json!(OfferId::new())).collect();
        assert_eq!([statements(market, &ids[..1]).await, statements(market, &ids).await], [1, 1]);
    }

    async fn stock_can_be_seen_as_it_was(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer().await;
        let mut moments = vec![];
        for quantity in [5, 3] {
            moments.push(market.clock.now());
            market.clock.advance(TimeDelta::seconds(10));
            shop.does("receiveStock", shop.at(offer, json!({ "quantity": quantity }))).await;
        }
        moments.push(market.clock.now());
        market.clock.advance(TimeDelta::seconds(10));
        shop.reserve(offer, 6).await;
        moments.push(market.clock.now());
        let query = "query($offer: ID!, $asOf: DateTime) { stock(offerId: $offer, asOf: $asOf) { onHand reserved available sequence } }";
        let mut seen = vec![];
        for moment in moments {
            let variables = json!({ "offer": offer, "asOf": moment });
            let data = market.data("inventory", Some(&shop.seller), query, variables).await;
            seen.push(["onHand", "reserved", "available", "sequence"].map(|field| data["stock"][field].as_i64().unwrap()));
        }
        assert_eq!(seen, [[0, 0, 0, 0], [5, 0, 5, 1], [8, 0, 8, 2], [8, 6, 2, 3]]);
        let far = json!({ "offer": offer, "asOf": "+262000-01-01T00:00:00Z" });
        let answer = market.ask("inventory", Some(&shop.seller), query, far).await;
        assert!(answer["errors"][0]["extensions"]["code"].as_str().unwrap().starts_with("BAD_"), "{answer}");
    }

    async fn the_log_comes_in_pages(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(1).await;
        for _ in 0..4 {
            shop.does("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        }
        let query = "query($offer: ID!, $after: String) { stockMovements(offerId: $offer, first: 2, after: $after) {
            edges { node { sequence } } pageInfo { endCursor hasNextPage } } }";
        let (mut after, mut sequences) = (Value::Null, vec![]);
        loop {
            let data = market.data("inventory", Some(&shop.seller), query, json!({ "offer": offer, "after": after })).await;
            let page = &data["stockMovements"];
            sequences.extend(page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["sequence"].as_i64().unwrap()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(sequences, [5, 4, 3, 2, 1]);
        for bad in [json!({ "offer": offer, "after": "nonsense" })] {
            let answer = market.ask("inventory", Some(&shop.seller), query, bad).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        }
        call(market, &market.admin(), "receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await;
    }
}

/// Statements that one query of the stock of `offers` sends. It runs as a task, as requests do.
async fn statements(market: &Market, offers: &[Value]) -> u64 {
    let of: Vec<Value> = offers.iter().map(|id| json!({ "__typename": "Offer", "id": id })).collect();
    let call = Call {
        query: ENTITIES.into(),
        operation_name: None,
        variables: Variables::from_json(json!({ "of": of })),
    };
    let endpoint = market.endpoint("inventory").clone();
    let db = &market.env("inventory").db;
    let before = db.statements();
    let answer = async move { endpoint.answer(&HeaderMap::new(), call).await };
    market.souk.tasks.runtime().spawn(answer).await.unwrap();
    db.statements() - before
}
