//! Many asks at once.

use serde_json::{Value, json};

use super::pit::{Pit, code};
use crate::support::{Market, Person};

const LIST: &str = "mutation($input: ListAsksInput!) { it: listAsks(input: $input) { batch { id total waiting } userErrors { code field } } }";

souk_test! {
    async fn a_batch_places_what_is_right_and_tells_what_is_not(market: &Market) {
        let pit = Pit::open(market).await;
        let ask = |price: i64| json!({ "marketId": pit.id, "priceMinor": price });
        let with = |field: &str, value: Value| { let mut ask = ask(20_000); ask[field] = value; ask };
        let asks = [
            (ask(20_000), Value::Null),
            (ask(20_050), json!("PRICE_OFF_TICK")),
            (ask(0), json!("PRICE_OUT_OF_RANGE")),
            (with("marketId", json!(contract::MarketId::new())), json!("MARKET_NOT_FOUND")),
            (with("quantity", json!(0)), json!("QUANTITY_OUT_OF_RANGE")),
            (with("quantity", json!(i32::MIN)), json!("QUANTITY_OUT_OF_RANGE")),
            (with("expiresInDays", json!(2)), json!("EXPIRY_INVALID")),
            (with("quantity", json!(1_000)), Value::Null),
            (ask(21_000), Value::Null),
        ];
        let input = json!({ "idempotencyKey": "1", "asks": asks.iter().map(|(ask, _)| ask).collect::<Vec<_>>() });
        let listed = list(market, &pit.seller, input.clone()).await;
        assert_eq!(listed["batch"]["total"], 9, "{listed}");
        // Two processes send at once, and one of them again.
        for _ in 0..2 {
            tokio::join!(send(market), send(market));
        }
        let items = items(market, &pit.seller, &listed["batch"]["id"]).await;
        let errors: Vec<&Value> = items.iter().map(|item| &item["error"]).collect();
        assert_eq!(errors, asks.iter().map(|(_, error)| error).collect::<Vec<_>>());
        for item in &items {
            let (status, is_order) = (item["status"].as_str().unwrap(), item["orderId"].is_string());
            assert!(matches!((status, is_order), ("PLACED", true) | ("REFUSED", false)), "{item}");
        }
        market.settle().await;
        let asks = "query { myAsks { edges { node { id } } } }";
        let seen = market.data("bidding", Some(&pit.seller), asks, json!({})).await;
        assert_eq!(seen["myAsks"]["edges"].as_array().unwrap().len(), 3, "each is placed once");

        let again = list(market, &pit.seller, input.clone()).await;
        assert_eq!(again["batch"]["id"], listed["batch"]["id"]);
        let mut other = input;
        other["asks"][0]["priceMinor"] = json!(1_000);
        assert_eq!(code(&list(market, &pit.seller, other).await), "IDEMPOTENCY_CONFLICT");
    }

    async fn a_batch_has_its_limits_and_its_owner(market: &Market) {
        let pit = Pit::open(market).await;
        let asks = |count: usize| vec![json!({ "marketId": pit.id, "priceMinor": 20_000 }); count];
        for count in [0, 1_001] {
            let input = json!({ "idempotencyKey": "1", "asks": asks(count) });
            assert_eq!(code(&list(market, &pit.seller, input).await), "ASKS_OUT_OF_RANGE", "{count}");
        }
        let input = json!({ "idempotencyKey": "1", "asks": asks(1) });
        assert_eq!(code(&list(market, &market.buyer(), input.clone()).await), "SHOP_NOT_FOUND");
        let id = list(market, &pit.seller, input).await["batch"]["id"].take();
        send(market).await;
        let query = "query($id: ID!) { askBatch(id: $id) { id } }";
        let foreign = market.data("bidding", Some(&market.buyer()), query, json!({ "id": id })).await;
        assert_eq!(foreign["askBatch"], Value::Null);
    }

    async fn a_thousand_asks_are_placed(market: &Market) {
        let pit = Pit::open(market).await;
        let ask = |price: i64| json!({ "marketId": pit.id, "priceMinor": price * 100 });
        let asks: Vec<Value> = (1..=1_000).map(ask).collect();
        let listed = list(market, &pit.seller, json!({ "idempotencyKey": "1", "asks": asks })).await;
        send(market).await;
        let query = "query($id: ID!) { askBatch(id: $id) { waiting items(first: 100) { edges { node { status error } } } } }";
        let seen = market.data("bidding", Some(&pit.seller), query, json!({ "id": listed["batch"]["id"] })).await;
        assert_eq!(seen["askBatch"]["waiting"], 0);
        // A market takes 100 orders of one account.
        let last = "query($id: ID!, $after: String) { askBatch(id: $id) { items(first: 100, after: $after) { edges { node { status error } cursor } } } }";
        let (mut after, mut placed, mut refused) = (Value::Null, 0, 0);
        loop {
            let page = market.data("bidding", Some(&pit.seller), last, json!({ "id": listed["batch"]["id"], "after": after })).await;
            let edges = page["askBatch"]["items"]["edges"].as_array().unwrap().clone();
            let Some(end) = edges.last() else { break };
            after = end["cursor"].clone();
            placed += edges.iter().filter(|edge| edge["node"]["status"] == "PLACED").count();
            refused += edges.iter().filter(|edge| edge["node"]["error"] == "TOO_MANY_IN_MARKET").count();
        }
        assert_eq!((placed, refused), (100, 900));
    }
}

async fn list(market: &Market, by: &Person, input: Value) -> Value {
    market.data("bidding", Some(by), LIST, json!({ "input": input })).await["it"].take()
}

/// Runs the job that sends what waits.
async fn send(market: &Market) {
    let jobs = market.souk.services.iter().flat_map(|service| &service.subgraph.jobs);
    for job in jobs.filter(|job| job.name == "bidding.batches") {
        (job.run)().await.unwrap();
    }
}

async fn items(market: &Market, by: &Person, id: &Value) -> Vec<Value> {
    let query = "query($id: ID!) { askBatch(id: $id) { items { edges { node { position status error orderId } } } } }";
    let seen = market.data("bidding", Some(by), query, json!({ "id": id })).await;
    seen["askBatch"]["items"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}
