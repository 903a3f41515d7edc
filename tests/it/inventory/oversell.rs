//! Many at once, on one row: what is sold is what there was.

use futures::future::join_all;
use serde_json::json;

use super::{Shop, books_are_right};

souk_test! {
    async fn two_hundred_writers_on_one_row_take_exactly_what_there_is(market: &Market) {
        let shop = Shop::open(market, "Hot").await;
        let offer = shop.stocked(50).await;
        let answers = join_all((0..200).map(|_| shop.reserve(offer, 1))).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer["userErrors"].as_array().unwrap().is_empty());
        assert_eq!((won.len(), lost.len()), (50, 150));
        for answer in lost {
            let error = &answer["userErrors"][0];
            assert_eq!((&error["code"], &error["available"]), (&json!("INSUFFICIENT_STOCK"), &json!(0)));
        }
        assert_eq!(shop.levels(offer).await, [50, 50, 0]);
        books_are_right(market).await;
    }

    async fn those_who_take_from_the_shelf_and_those_who_reserve_share_the_last_pieces(market: &Market) {
        let shop = Shop::open(market, "Hot").await;
        let offer = shop.stocked(30).await;
        let adjust = || shop.does("adjustStock", shop.at(offer, json!({ "delta": -1, "reason": "broken" })));
        let (adjusted, reserved) =
            futures::join!(join_all((0..40).map(|_| adjust())), join_all((0..40).map(|_| shop.reserve(offer, 1))));
        let done = |answers: &[serde_json::Value]| {
            answers.iter().filter(|answer| answer["userErrors"].as_array().unwrap().is_empty()).count()
        };
        assert_eq!(done(&adjusted) + done(&reserved), 30);
        assert_eq!(shop.levels(offer).await[2], 0);
        books_are_right(market).await;
    }

    async fn baskets_that_overlap_in_any_order_never_wait_in_a_circle(market: &Market) {
        let shop = Shop::open(market, "Hot").await;
        let (a, b) = (shop.stocked(20).await, shop.stocked(20).await);
        let basket = |first, second| {
            let lines = json!([{ "offerId": first, "quantity": 1 }, { "offerId": second, "quantity": 1 }]);
            shop.does("reserveStock", json!({ "lines": lines, "ttlSeconds": 60 }))
        };
        let answers = join_all((0..40).map(|n| if n % 2 == 0 { basket(a, b) } else { basket(b, a) })).await;
        let won = answers.iter().filter(|answer| answer["reservation"].is_object()).count();
        assert_eq!(won, 20);
        assert_eq!(shop.levels(a).await, [20, 20, 0]);
        assert_eq!(shop.levels(b).await, [20, 20, 0]);
        books_are_right(market).await;
    }
}
