//! Receive, take back, adjust, count; and what is refused.

use contract::{LocationId, OfferId};
use serde_json::{Value, json};

use super::{Shop, books_are_right, call};

souk_test! {
    async fn a_seller_moves_stock_and_the_log_tells_how(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.does("adjustStock", shop.at(offer, json!({ "delta": -3, "reason": "broken" }))).await;
        shop.does("returnStock", shop.at(offer, json!({ "quantity": 1 }))).await;
        let counted = shop.does("countStock", shop.at(offer, json!({ "counted": 5 }))).await;
        assert_eq!(counted["stock"], json!({ "onHand": 5, "reserved": 0, "available": 5, "sequence": 4, "offer": { "id": offer } }));
        let query = "query($offer: ID!) { stockMovements(offerId: $offer) { edges { node {
            kind onHandDelta reservedDelta reason sequence actor location { name } } } } }";
        let data = market.data("inventory", Some(&shop.seller), query, json!({ "offer": offer })).await;
        let log: Vec<_> = data["stockMovements"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| (edge["node"]["kind"].as_str().unwrap(), edge["node"]["onHandDelta"].as_i64().unwrap()))
            .collect();
        assert_eq!(log, [("ADJUSTED", -3), ("RETURNED", 1), ("ADJUSTED", -3), ("RECEIVED", 10)]);
        let oldest = &data["stockMovements"]["edges"][3]["node"];
        assert_eq!(oldest["actor"], shop.seller.user.to_string());
        assert_eq!(oldest["location"]["name"], "Warehouse");
        books_are_right(market).await;
    }

    async fn reserved_pieces_stay_on_the_shelf(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        shop.reserve(offer, 7).await;
        let adjusted = shop.does("adjustStock", shop.at(offer, json!({ "delta": -4, "reason": "lost" }))).await;
        let error = &adjusted["userErrors"][0];
        assert_eq!((&error["code"], &error["available"]), (&json!("WOULD_UNDERCUT_RESERVED"), &json!(3)));
        let counted = shop.refusal("countStock", shop.at(offer, json!({ "counted": 6 }))).await;
        assert_eq!(counted, "WOULD_UNDERCUT_RESERVED");
        assert_eq!(shop.levels(offer).await, [10, 7, 3]);
    }

    async fn a_count_of_a_level_that_moved_since_is_refused(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let count = |expected: i64| shop.at(offer, json!({ "counted": 8, "expectedVersion": expected }));
        let stale = shop.does("countStock", count(0)).await;
        let error = &stale["userErrors"][0];
        assert_eq!((&error["code"], &error["currentVersion"]), (&json!("STALE_VERSION"), &json!(1)));
        assert_eq!(shop.does("countStock", count(1)).await["stock"]["sequence"], 2);
        let confirmed = shop.does("countStock", shop.at(offer, json!({ "counted": 8 }))).await;
        assert_eq!(confirmed["stock"]["sequence"], 2);
    }

    async fn negative_and_huge_quantities_are_refused(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        for quantity in [0, -1, 1_000_001, 9_007_199_254_740_991_i64] {
            for mutation in ["receiveStock", "returnStock"] {
                let refusal = shop.refusal(mutation, shop.at(offer, json!({ "quantity": quantity }))).await;
                assert_eq!(refusal, "QUANTITY_OUT_OF_RANGE");
            }
        }
        for delta in [0, 1_000_001, -1_000_001, -9_007_199_254_740_991_i64] {
            let input = shop.at(offer, json!({ "delta": delta, "reason": "x" }));
            assert_eq!(shop.refusal("adjustStock", input).await, "DELTA_OUT_OF_RANGE");
        }
        for counted in [-1, 1_000_001] {
            let refusal = shop.refusal("countStock", shop.at(offer, json!({ "counted": counted }))).await;
            assert_eq!(refusal, "QUANTITY_OUT_OF_RANGE");
        }
        let input = merge_key(shop.at(offer, json!({ "quantity": 9_007_199_254_740_992_i64 })));
        let query = "mutation($input: ReceiveStockInput!) { receiveStock(input: $input) { stock { onHand } } }";
        let answer = market.ask("inventory", Some(&shop.seller), query, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(shop.levels(offer).await, [10, 0, 10]);
    }

    async fn an_offer_has_at_most_a_billion_pieces(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer().await;
        let arrival = inventory::Arrival {
            offer_id: offer,
            location_id: shop.location.parse().unwrap(),
            quantity: 1_000_000,
        };
        let env = market.env("inventory");
        let keeper = inventory::Keeper::System("test");
        inventory::receive_many(env, keeper, "all", vec![arrival; 1_000]).await.unwrap().unwrap();
        assert_eq!(shop.refusal("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await, "TOO_MUCH");
        assert_eq!(shop.levels(offer).await[0], 1_000_000_000);
    }

    async fn text_that_cannot_be_kept_is_refused_and_the_rest_is_kept_as_it_is(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        for reason in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(501)] {
            let input = shop.at(offer, json!({ "delta": 1, "reason": reason }));
            assert_eq!(shop.refusal("adjustStock", input).await, "INVALID_INPUT", "{reason:?}");
        }
        let strange = "zerbrochen · 壊れた · מקולקל · 👟🏽";
        let input = shop.at(offer, json!({ "delta": 1, "reason": strange }));
        assert_eq!(shop.refusal("adjustStock", input).await, "done");
        let query = "query($offer: ID!) { stockMovements(offerId: $offer, first: 1) { edges { node { reason } } } }";
        let data = market.data("inventory", Some(&shop.seller), query, json!({ "offer": offer })).await;
        assert_eq!(data["stockMovements"]["edges"][0]["node"]["reason"], strange);
    }

    async fn the_same_key_moves_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let input = |quantity: i64| shop.at(offer, json!({ "idempotencyKey": "one", "quantity": quantity }));
        let first = shop.does("receiveStock", input(5)).await;
        assert_eq!(shop.does("receiveStock", input(5)).await, first);
        assert_eq!(shop.refusal("receiveStock", input(6)).await, "IDEMPOTENCY_CONFLICT");
        assert_eq!(shop.levels(offer).await, [15, 0, 15]);
    }

    async fn anothers_offers_and_locations_are_not_there(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let offer = shop.stocked(10).await;
        let one = json!({ "quantity": 1 });
        assert_eq!(other.refusal("receiveStock", other.at(offer, one.clone())).await, "OFFER_NOT_FOUND");
        let theirs = json!({ "offerId": offer, "locationId": other.location, "quantity": 1 });
        assert_eq!(shop.refusal("receiveStock", theirs.clone()).await, "LOCATION_NOT_FOUND");
        let admin = market.admin();
        let mixed = call(market, &admin, "receiveStock", theirs).await;
        assert_eq!(mixed["userErrors"][0]["code"], "LOCATION_NOT_FOUND");
        assert_eq!(call(market, &admin, "receiveStock", shop.at(offer, one.clone())).await["stock"]["onHand"], 11);
        let nowhere = json!({ "offerId": offer, "locationId": LocationId::new(), "quantity": 1 });
        assert_eq!(shop.refusal("receiveStock", nowhere).await, "LOCATION_NOT_FOUND");
        assert_eq!(shop.refusal("receiveStock", shop.at(OfferId::new(), one)).await, "OFFER_NOT_FOUND");
    }

    async fn only_sellers_and_admins_move_stock(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let input = merge_key(shop.at(offer, json!({ "quantity": 1 })));
        let query = "mutation($input: ReceiveStockInput!) { receiveStock(input: $input) { stock { onHand } } }";
        let code = async |by| {
            let answer = market.ask("inventory", by, query, json!({ "input": input.clone() })).await;
            answer["errors"][0]["extensions"]["code"].clone()
        };
        let buyer = market.buyer();
        assert_eq!(code(None).await, "UNAUTHENTICATED");
        assert_eq!(code(Some(&buyer)).await, "FORBIDDEN");
        assert_eq!(code(Some(&shop.seller)).await, Value::Null);
    }
}

fn merge_key(input: Value) -> Value {
    super::merged(json!({ "idempotencyKey": "key" }), input)
}
