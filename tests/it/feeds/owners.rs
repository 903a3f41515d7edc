//! Feeds and batches are their sellers'.

use super::*;

const FEEDS: &str = "{ stockFeeds { edges { node { id name enabled matchesBy ordersBy location { name } seller { id } } } } }";
const BATCHES: &str = "query($feed: ID!) { stockFeedBatches(feedId: $feed, first: 1) { edges { node { id idempotencyKey lines applied refused finishedAt } } pageInfo { hasNextPage } } }";
const LINES: &str = "query($batch: ID!, $after: String) { stockFeedLines(batchId: $batch, first: 100, after: $after) { edges { cursor node { line result offer { id } onHand field } } pageInfo { hasNextPage endCursor } } }";

souk_test! {
    async fn a_seller_sees_what_their_feeds_sent_and_nobody_else_s(market: &Market) {
        let site = Site::open(market).await;
        site.goods("A", None).await;
        let feed = site.feed("SKU", "SEQUENCE").await;
        feed.send("first", json!([])).await;
        let lines: Vec<_> = (1..=620).map(|number| json!({ "sku": if number == 601 { "A" } else { "?" }, "quantity": 1, "sequence": 1 })).collect();
        feed.send("second", json!(lines)).await;
        let mine = market.data("inventory", Some(&site.shop.seller), FEEDS, json!({})).await;
        assert_eq!(mine["stockFeeds"]["edges"][0]["node"]["id"], feed.id);
        assert_eq!(mine["stockFeeds"]["edges"][0]["node"]["location"]["name"], "Warehouse");
        let ask = async |by: &Person, query: &str, variables: Value| market.data("inventory", Some(by), query, variables).await;
        let batches = ask(&site.shop.seller, BATCHES, json!({ "feed": feed.id })).await;
        let newest = &batches["stockFeedBatches"]["edges"][0]["node"];
        assert_eq!((&newest["idempotencyKey"], &newest["lines"], &newest["applied"], &newest["refused"]), (&json!("second"), &json!(620), &json!(1), &json!(619)));
        assert_eq!(batches["stockFeedBatches"]["pageInfo"]["hasNextPage"], true);
        let (mut after, mut numbers, mut applied) = (Value::Null, vec![], vec![]);
        loop {
            let page = ask(&site.shop.seller, LINES, json!({ "batch": newest["id"], "after": after })).await;
            for edge in page["stockFeedLines"]["edges"].as_array().unwrap() {
                numbers.push(edge["node"]["line"].as_i64().unwrap());
                applied.extend((edge["node"]["result"] == "APPLIED").then(|| edge["node"]["line"].as_i64().unwrap()));
            }
            after = page["stockFeedLines"]["pageInfo"]["endCursor"].clone();
            if page["stockFeedLines"]["pageInfo"]["hasNextPage"] == false { break }
        }
        assert_eq!(numbers, (1..=620).collect::<Vec<_>>());
        assert_eq!(applied, [601]);

        let stranger = market.seller("Stranger").await;
        assert_eq!(ask(&stranger, FEEDS, json!({})).await["stockFeeds"]["edges"], json!([]));
        assert_eq!(ask(&stranger, BATCHES, json!({ "feed": feed.id })).await["stockFeedBatches"], Value::Null);
        assert_eq!(ask(&stranger, LINES, json!({ "batch": newest["id"] })).await["stockFeedLines"], Value::Null);
        for mutation in ["changeStockFeed", "rotateStockFeedSecret"] {
            assert_eq!(refusal(&does(market, &stranger, mutation, json!({ "id": feed.id })).await), "NOT_FOUND");
        }
        assert!(!ask(&market.admin(), BATCHES, json!({ "feed": feed.id })).await["stockFeedBatches"].is_null());
        let buyer = market.ask("inventory", Some(&market.buyer()), FEEDS, json!({})).await;
        assert_eq!(buyer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }

    async fn a_feed_is_made_once_for_a_location_of_the_sellers(market: &Market) {
        let site = Site::open(market).await;
        let input = |name: &str| json!({ "name": name, "locationId": site.shop.location, "matchesBy": "SKU", "ordersBy": "TIME", "idempotencyKey": "k" });
        let made = does(market, &site.shop.seller, "createStockFeed", input("Supplier")).await;
        let again = does(market, &site.shop.seller, "createStockFeed", input("Supplier")).await;
        assert_eq!(made, again, "with its secret, for the first answer may be lost");
        assert_eq!(refusal(&does(market, &site.shop.seller, "createStockFeed", input("Other")).await), "IDEMPOTENCY_CONFLICT");
        let new = |name: &str| json!({ "name": name, "locationId": site.shop.location, "matchesBy": "SKU", "ordersBy": "TIME" });
        assert_eq!(refusal(&does(market, &site.shop.seller, "createStockFeed", new("Supplier")).await), "NAME_TAKEN");
        assert_eq!(refusal(&does(market, &site.shop.seller, "createStockFeed", new(" ")).await), "INVALID_INPUT");
        let stranger = market.seller("Stranger").await;
        assert_eq!(refusal(&does(market, &stranger, "createStockFeed", new("Mine")).await), "LOCATION_NOT_FOUND");
        let id = &made["feed"]["id"];
        let stale = does(market, &site.shop.seller, "changeStockFeed", json!({ "id": id, "expectedVersion": 9, "name": "New" })).await;
        assert_eq!(refusal(&stale), "STALE_VERSION");
        let changed = does(market, &site.shop.seller, "changeStockFeed", json!({ "id": id, "name": "New" })).await;
        assert_eq!((&changed["feed"]["name"], &changed["feed"]["version"]), (&json!("New"), &json!(2)));
    }
}
