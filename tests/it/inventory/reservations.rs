//! Promises that sellers and admins make: with an expiry, kept or given back.

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use inventory::reservation::sweep;
use serde_json::{Value, json};

use super::{Shop, books_are_right, call, make_location};

/// Requests at once. A pool of connections answers "try again" to who waits for seconds: hundreds at once are another test's.
const AT_ONCE: usize = 16;

fn id(answer: &Value) -> Value {
    assert!(answer["reservation"].is_object(), "{answer}");
    json!({ "id": answer["reservation"]["id"] })
}

souk_test! {
    async fn a_reservation_is_committed_or_released_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let (sold, back) = (id(&shop.reserve(offer, 3).await), id(&shop.reserve(offer, 2).await));
        assert_eq!(shop.levels(offer).await, [10, 5, 5]);
        let done = shop.does("commitReservation", sold.clone()).await;
        assert_eq!(done["reservation"]["state"], "COMMITTED");
        assert_eq!(shop.refusal("commitReservation", sold.clone()).await, "done");
        assert_eq!(shop.refusal("releaseReservation", sold).await, "NOT_ACTIVE");
        let done = shop.does("releaseReservation", back.clone()).await;
        assert_eq!((&done["reservation"]["state"], &done["reservation"]["reason"]), (&json!("RELEASED"), &json!("released")));
        assert_eq!(shop.refusal("commitReservation", back).await, "NOT_ACTIVE");
        assert_eq!(shop.levels(offer).await, [7, 0, 7]);
        books_are_right(market).await;
    }

    async fn all_lines_are_reserved_or_none_and_every_shortage_is_told(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (plenty, one, none) = (shop.stocked(10).await, shop.stocked(1).await, shop.offer().await);
        let line = |offer, quantity| json!({ "offerId": offer, "quantity": quantity });
        let lines = json!([line(plenty, 4), line(one, 2), line(none, 1)]);
        let answer = shop.does("reserveStock", json!({ "lines": lines, "ttlSeconds": 60 })).await;
        assert_eq!(answer["reservation"], Value::Null);
        let told: Vec<_> = answer["userErrors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| (error["code"].as_str().unwrap(), error["requested"].as_i64(), error["available"].as_i64()))
            .collect();
        let short = |requested, available| ("INSUFFICIENT_STOCK", Some(requested), Some(available));
        assert_eq!(told, [short(2, 1), short(1, 0)]);
        assert_eq!(shop.levels(plenty).await, [10, 0, 10]);
    }

    async fn the_sweeper_gives_back_what_nobody_came_for(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let held = id(&shop.reserve(offer, 4).await);
        let env = market.env("inventory");
        market.clock.advance(TimeDelta::seconds(59));
        assert_eq!(sweep(env).await.unwrap(), 0);
        market.clock.advance(TimeDelta::seconds(1));
        let (one, other) = futures::join!(sweep(env), sweep(env));
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(shop.levels(offer).await, [10, 0, 10]);
        let query = "query($id: ID!) { reservation(id: $id) { state reason } }";
        let data = market.data("inventory", Some(&shop.seller), query, held).await;
        assert_eq!(data["reservation"], json!({ "state": "EXPIRED", "reason": "expired" }));
        books_are_right(market).await;
    }

    async fn a_late_commit_counts_until_the_sweeper_came(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let (late, too_late) = (id(&shop.reserve(offer, 1).await), id(&shop.reserve(offer, 2).await));
        market.clock.advance(TimeDelta::minutes(5));
        assert_eq!(shop.refusal("commitReservation", late).await, "done");
        sweep(market.env("inventory")).await.unwrap();
        assert_eq!(shop.refusal("commitReservation", too_late).await, "NOT_ACTIVE");
        assert_eq!(shop.levels(offer).await, [9, 0, 9]);
    }

    async fn more_reservations_than_a_batch_expire_in_one_sweep(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(300).await;
        let reserved = stream::iter((0..300).map(|_| shop.reserve(offer, 1))).buffer_unordered(AT_ONCE);
        assert_eq!(reserved.count().await, 300);
        market.clock.advance(TimeDelta::minutes(2));
        assert_eq!(sweep(market.env("inventory")).await.unwrap(), 300);
        assert_eq!(shop.levels(offer).await, [300, 0, 300]);
        books_are_right(market).await;
    }

    async fn the_same_key_reserves_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let input = |quantity| {
            let lines = json!([{ "offerId": offer, "quantity": quantity }]);
            json!({ "idempotencyKey": "one", "lines": lines, "ttlSeconds": 60 })
        };
        let first = shop.does("reserveStock", input(2)).await;
        let (second, third) = futures::join!(shop.does("reserveStock", input(2)), shop.does("reserveStock", input(2)));
        assert_eq!((&first, &first), (&second, &third));
        assert_eq!(shop.refusal("reserveStock", input(3)).await, "IDEMPOTENCY_CONFLICT");
        assert_eq!(shop.levels(offer).await, [10, 2, 8]);
    }

    async fn bad_lines_and_times_are_refused_with_their_place(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let reserve = async |quantities: &[i64], ttl: i64| {
            let lines: Vec<_> =
                quantities.iter().map(|quantity| json!({ "offerId": offer, "quantity": quantity })).collect();
            shop.refusal("reserveStock", json!({ "lines": lines, "ttlSeconds": ttl })).await
        };
        assert_eq!(reserve(&[], 60).await, "LINES_OUT_OF_RANGE");
        assert_eq!(reserve(&[1; 101], 60).await, "LINES_OUT_OF_RANGE");
        assert_eq!(reserve(&[1; 10_000], 60).await, "LINES_OUT_OF_RANGE");
        for quantity in [0, -1, 1_000_001, 9_007_199_254_740_991] {
            assert_eq!(reserve(&[1, quantity], 60).await, "QUANTITY_OUT_OF_RANGE");
        }
        assert_eq!(reserve(&[1], 0).await, "TTL_OUT_OF_RANGE");
        assert_eq!(reserve(&[1], 86_401).await, "TTL_OUT_OF_RANGE");
        assert_eq!(reserve(&[6, 5], 60).await, "INSUFFICIENT_STOCK");
        assert_eq!(shop.levels(offer).await, [10, 0, 10]);
    }

    async fn another_shops_reservations_are_not_there(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let offer = shop.stocked(10).await;
        let mine = id(&shop.reserve(offer, 1).await);
        assert_eq!(other.reserve(offer, 1).await["userErrors"][0]["code"], "OFFER_NOT_FOUND");
        assert_eq!(other.refusal("commitReservation", mine.clone()).await, "NOT_FOUND");
        assert_eq!(other.refusal("releaseReservation", mine.clone()).await, "NOT_FOUND");
        let query = "query($id: ID!) { reservation(id: $id) { state } }";
        assert_eq!(market.data("inventory", Some(&other.seller), query, mine.clone()).await["reservation"], Value::Null);
        let admin = market.admin();
        assert_eq!(market.data("inventory", Some(&admin), query, mine.clone()).await["reservation"]["state"], "ACTIVE");
        assert_eq!(call(market, &admin, "commitReservation", mine).await["reservation"]["state"], "COMMITTED");
    }

    async fn a_commit_takes_from_the_fullest_shelf_first(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(3).await;
        let big = make_location(market, &shop.seller, "Big").await;
        shop.does("receiveStock", json!({ "offerId": offer, "locationId": big, "quantity": 5 })).await;
        let held = id(&shop.reserve(offer, 6).await);
        shop.does("commitReservation", held).await;
        let query = "query($offer: ID!) { stock(offerId: $offer) { locations { onHand location { name } } } }";
        let data = market.data("inventory", Some(&shop.seller), query, json!({ "offer": offer })).await;
        assert_eq!(data["stock"]["locations"], json!([{ "onHand": 2, "location": { "name": "Warehouse" } }]));
        books_are_right(market).await;
    }
}
