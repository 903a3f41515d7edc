//! Bids and asks through the graph.

use chrono::TimeDelta;
use contract::BookOrderId;
use contract::event::bidding::SellerFees;
use serde_json::{Value, json};

use super::pit::{Pit, again, code, status};
use crate::support::Market;

souk_test! {
    async fn a_bid_buys_at_the_price_of_the_ask_that_waits(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        let ask = pit.ask(&pit.seller, 20_000).await;
        assert_eq!(status(&ask), "OPEN");
        assert_eq!(pit.quote().await, [Some(20_000), None, None]);
        let bid = pit.bid(&buyer, 21_000).await;
        assert_eq!(status(&bid), "FILLED");
        assert_eq!(bid["matches"], json!([{ "price": { "amountMinor": 20_000 }, "quantity": 1 }]));
        assert_eq!(pit.quote().await, [None, None, Some(20_000)]);

        let matched = pit.matched().await;
        let [matched] = matched.as_slice() else { panic!("{matched:?}") };
        assert_eq!(matched.price.amount_minor, 20_000);
        assert_eq!((matched.buyer_id, matched.seller_user_id), (buyer.user, pit.seller.user));
        assert_eq!(Some(matched.seller_id), pit.seller.seller);
        assert_eq!((matched.bid_id.to_string(), matched.ask_id.to_string()), (text(&bid["order"]["id"]), text(&ask["order"]["id"])));
        assert_eq!((matched.variant_id, matched.payment_method.as_str()), (pit.variant, "pm_card_visa"));
        let frozen = SellerFees {
            schedule: "2026-01".into(), level: 1, transaction_minor: 1_800, processing_minor: 600,
            payout_minor: 17_600, penalty_minor: 3_000,
        };
        assert_eq!(matched.fees, frozen);
        let last = pit.tickers().await.pop().unwrap();
        assert_eq!((last.lowest_ask, last.highest_bid), (None, None));
        assert_eq!(last.last_sale.map(|price| price.amount_minor), Some(20_000));
    }

    async fn each_piece_of_a_match_is_a_trade_of_its_own(market: &Market) {
        let pit = Pit::open(market).await;
        let mut asked = pit.ask_input(20_000);
        asked["quantity"] = json!(3);
        let ask = pit.place("placeAsk", "PlaceAskInput", &pit.seller, asked).await;
        let mut wanted = pit.bid_input(20_000);
        wanted["quantity"] = json!(2);
        let bid = pit.place("placeBid", "PlaceBidInput", &market.buyer(), wanted).await;
        assert_eq!((status(&ask), status(&bid)), ("OPEN", "FILLED"));
        let matched = pit.matched().await;
        assert_eq!(matched.len(), 2);
        assert_ne!(matched[0].trade_id, matched[1].trade_id);
        assert_eq!(matched[0].bid_id, matched[1].bid_id);
        assert_eq!(pit.quote().await[0], Some(20_000), "one piece is left");
    }

    async fn bad_orders_are_refused_with_the_prices_of_now(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
        assert_eq!(status(&pit.bid(&buyer, 15_000).await), "OPEN");
        for (field, value, wrong) in [
            ("priceMinor", json!(20_050), "PRICE_OFF_TICK"),
            ("priceMinor", json!(0), "PRICE_OUT_OF_RANGE"),
            ("priceMinor", json!(-100), "PRICE_OUT_OF_RANGE"),
            ("priceMinor", json!(100_000_100), "PRICE_OUT_OF_RANGE"),
            ("priceMinor", json!(9_007_199_254_740_900_i64), "PRICE_OUT_OF_RANGE"),
            ("quantity", json!(0), "QUANTITY_OUT_OF_RANGE"),
            ("quantity", json!(-1), "QUANTITY_OUT_OF_RANGE"),
            ("quantity", json!(i32::MAX), "QUANTITY_OUT_OF_RANGE"),
            ("expiresInDays", json!(2), "EXPIRY_INVALID"),
            ("expiresInDays", json!(-30), "EXPIRY_INVALID"),
            ("paymentMethod", json!(" "), "PAYMENT_METHOD_INVALID"),
            ("marketId", json!(contract::MarketId::new()), "MARKET_NOT_FOUND"),
        ] {
            let mut input = pit.bid_input(16_000);
            input[field] = value.clone();
            let refused = pit.place("placeBid", "PlaceBidInput", &buyer, input).await;
            assert_eq!(code(&refused), wrong, "{field} {value}");
            assert_eq!(refused["userErrors"][0]["field"], json!(["input", field]), "{value}");
            assert_eq!(refused["order"], Value::Null);
            if wrong.starts_with("PRICE") {
                assert_eq!(refused["userErrors"][0]["lowestAsk"]["amountMinor"], 20_000, "{refused}");
                assert_eq!(refused["userErrors"][0]["highestBid"]["amountMinor"], 15_000, "{refused}");
            }
        }
        assert_eq!(pit.quote().await, [Some(20_000), Some(15_000), None], "nothing changed");
    }

    async fn buying_now_never_costs_more_than_was_seen(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        let nothing = pit.buy_now(&buyer, 20_000).await;
        assert_eq!(code(&nothing), "PRICE_MOVED");
        assert_eq!(nothing["userErrors"][0]["lowestAsk"], Value::Null);
        pit.ask(&pit.seller, 20_100).await;
        let moved = pit.buy_now(&buyer, 20_000).await;
        assert_eq!((code(&moved), moved["userErrors"][0]["lowestAsk"]["amountMinor"].as_i64()), ("PRICE_MOVED", Some(20_100)));
        pit.ask(&pit.seller, 19_000).await;
        let bought = pit.buy_now(&buyer, 20_000).await;
        assert_eq!(bought["matches"][0]["price"]["amountMinor"], 19_000, "better is the buyer's");
        assert_eq!(status(&bought), "FILLED");

        let unsold = pit.sell_now(&pit.seller, 18_000).await;
        assert_eq!(code(&unsold), "PRICE_MOVED");
        pit.bid(&buyer, 18_500).await;
        let sold = pit.sell_now(&pit.seller, 18_000).await;
        assert_eq!((status(&sold), sold["matches"][0]["price"]["amountMinor"].as_i64()), ("FILLED", Some(18_500)));
    }

    async fn what_cannot_be_had_at_once_is_not_bought(market: &Market) {
        let pit = Pit::open(market).await;
        pit.ask(&pit.seller, 20_000).await;
        let mut input = pit.bid_input(20_000);
        input["maxPriceMinor"] = input.as_object_mut().unwrap().remove("priceMinor").unwrap();
        input["quantity"] = json!(3);
        let bought = pit.place("buyNow", "BuyNowInput", &market.buyer(), input).await;
        assert_eq!(status(&bought), "CANCELLED");
        assert_eq!((bought["order"]["filled"].as_i64(), bought["order"]["remaining"].as_i64()), (Some(1), Some(0)));
        assert_eq!(bought["order"]["reason"], "IMMEDIATE");
        assert_eq!(pit.quote().await, [None, None, Some(20_000)]);
    }

    async fn the_same_request_is_done_once(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        let mut input = pit.bid_input(15_000);
        input["expiresInDays"] = json!(7);
        let first = pit.place("placeBid", "PlaceBidInput", &buyer, input.clone()).await;
        market.clock.advance(TimeDelta::minutes(90));
        let buyer = again(market, &buyer);
        let place = async |input: &Value| pit.place("placeBid", "PlaceBidInput", &buyer, input.clone()).await;
        assert_eq!(place(&input).await["order"], first["order"], "an hour later it is the same");
        for (field, value) in [
            ("priceMinor", json!(15_100)),
            ("quantity", json!(2)),
            ("expiresInDays", json!(3)),
            ("paymentMethod", json!("pm_card_mastercard")),
            ("addressId", json!(contract::AddressId::new())),
        ] {
            let mut other = input.clone();
            other[field] = value;
            assert_eq!(code(&place(&other).await), "IDEMPOTENCY_CONFLICT", "{field}");
        }
        let mut refused = pit.bid_input(15_050);
        assert_eq!(code(&place(&refused).await), "PRICE_OFF_TICK");
        assert_eq!(code(&place(&refused).await), "PRICE_OFF_TICK", "a refusal is the same again");
        refused["idempotencyKey"] = json!("");
        let query = "mutation($input: PlaceBidInput!) { placeBid(input: $input) { order { id } } }";
        let denied = market.ask("bidding", Some(&buyer), query, json!({ "input": refused })).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{denied}");
        assert_eq!(bids(market, &buyer).await.len(), 1);
    }

    async fn an_order_is_its_owner_s_to_change(market: &Market) {
        let pit = Pit::open(market).await;
        let (buyer, other) = (market.buyer(), market.buyer());
        let bid = pit.bid(&buyer, 15_000).await["order"]["id"].clone();
        for id in [bid.clone(), json!(BookOrderId::new()), json!(BookOrderId(uuid::Uuid::nil())), json!(bidding::number::order_id(200, 1))] {
            let foreign = pit.cancel(&other, &id).await;
            assert_eq!((code(&foreign), &foreign["userErrors"][0]["status"]), ("NOT_ACTIVE", &Value::Null));
            let foreign = pit.amend(&other, &id, json!({ "priceMinor": 15_100 })).await;
            assert_eq!((code(&foreign), &foreign["userErrors"][0]["lowestAsk"]), ("NOT_ACTIVE", &Value::Null));
        }
        let cancelled = pit.cancel(&buyer, &bid).await;
        assert_eq!((status(&cancelled), cancelled["order"]["reason"].as_str()), ("CANCELLED", Some("OWNER")));
        let again = pit.cancel(&buyer, &bid).await;
        assert_eq!((code(&again), again["userErrors"][0]["status"].as_str()), ("NOT_ACTIVE", Some("CANCELLED")));

        let ask = pit.ask(&pit.seller, 15_000).await["order"]["id"].clone();
        let bid = pit.bid(&buyer, 15_000).await["order"]["id"].clone();
        for (by, id) in [(&buyer, &bid), (&pit.seller, &ask)] {
            let filled = pit.cancel(by, id).await;
            assert_eq!((code(&filled), filled["userErrors"][0]["status"].as_str()), ("NOT_ACTIVE", Some("FILLED")));
            let filled = pit.amend(by, id, json!({ "quantity": 2 })).await;
            assert_eq!((code(&filled), filled["userErrors"][0]["status"].as_str()), ("NOT_ACTIVE", Some("FILLED")));
            let foreign = pit.cancel(&other, id).await;
            assert_eq!((code(&foreign), &foreign["userErrors"][0]["status"]), ("NOT_ACTIVE", &Value::Null));
        }
        assert_eq!(pit.matched().await.len(), 1);
    }

    async fn an_amend_that_crosses_matches(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        pit.ask(&pit.seller, 20_000).await;
        let bid = pit.bid(&buyer, 15_000).await["order"]["id"].clone();
        for (change, wrong) in [
            (json!({ "priceMinor": 15_001 }), "PRICE_OFF_TICK"),
            (json!({ "priceMinor": 0 }), "PRICE_OUT_OF_RANGE"),
            (json!({ "quantity": 0 }), "QUANTITY_OUT_OF_RANGE"),
            (json!({ "expiresAt": "2020-01-01T00:00:00Z" }), "EXPIRY_INVALID"),
        ] {
            assert_eq!(code(&pit.amend(&buyer, &bid, change.clone()).await), wrong, "{change}");
        }
        let more = pit.amend(&buyer, &bid, json!({ "quantity": 2 })).await;
        assert_eq!((status(&more), more["order"]["remaining"].as_i64()), ("OPEN", Some(2)));
        let crossed = pit.amend(&buyer, &bid, json!({ "priceMinor": 21_000 })).await;
        assert_eq!(status(&crossed), "OPEN");
        assert_eq!((crossed["order"]["filled"].as_i64(), crossed["order"]["remaining"].as_i64()), (Some(1), Some(1)));
        assert_eq!(pit.quote().await, [None, Some(21_000), Some(20_000)], "the rest waits, uncrossed");
        assert_eq!(code(&pit.amend(&buyer, &bid, json!({ "quantity": 1 })).await), "NOT_ABOVE_FILLED");
    }

    async fn nobody_trades_with_themselves(market: &Market) {
        let pit = Pit::open(market).await;
        let ask = pit.ask(&pit.seller, 20_000).await;
        assert_eq!(status(&ask), "OPEN");
        let own = pit.bid(&pit.seller, 20_000).await;
        assert_eq!((code(&own), own["order"]["status"].as_str()), ("SELF_TRADE", Some("CANCELLED")));
        assert_eq!(own["order"]["reason"], "SELF_TRADE");
        assert_eq!(pit.quote().await, [Some(20_000), None, None], "the ask stays");
        assert_eq!(pit.matched().await, []);
    }

    async fn a_bid_dies_when_its_time_is_up(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        let mut input = pit.bid_input(15_000);
        input["expiresInDays"] = json!(1);
        let bid = pit.place("placeBid", "PlaceBidInput", &buyer, input).await;
        market.clock.advance(TimeDelta::days(1));
        let (buyer, other) = (again(market, &buyer), again(market, &market.buyer()));
        let late = pit.cancel(&buyer, &bid["order"]["id"]).await;
        assert_eq!((code(&late), late["userErrors"][0]["status"].as_str()), ("NOT_ACTIVE", Some("EXPIRED")));
        let alone = pit.bid(&other, 14_000).await;
        assert_eq!(status(&alone), "OPEN");
        assert_eq!(pit.quote().await, [None, Some(14_000), None]);
    }

    async fn lists_show_what_waits_and_its_rank(market: &Market) {
        let pit = Pit::open(market).await;
        let (buyer, other) = (market.buyer(), market.buyer());
        for (by, price) in [(&other, 15_000), (&buyer, 15_000), (&other, 16_000), (&buyer, 14_000), (&buyer, 17_000)] {
            assert_eq!(status(&pit.bid(by, price).await), "OPEN");
            market.clock.advance(TimeDelta::seconds(1));
        }
        market.settle().await;
        let seen = bids(market, &buyer).await;
        let ranks: Vec<(i64, i64)> = seen.iter().map(|bid| (bid["price"]["amountMinor"].as_i64().unwrap(), bid["rank"].as_i64().unwrap())).collect();
        assert_eq!(ranks, [(17_000, 1), (14_000, 5), (15_000, 4)], "the newest first");
        pit.cancel(&buyer, &seen[0]["id"]).await;
        let open = "query { myBids(status: OPEN, first: 1) { edges { node { rank } cursor } pageInfo { hasNextPage } } }";
        let page = market.data("bidding", Some(&buyer), open, json!({})).await;
        assert_eq!(page["myBids"]["edges"][0]["node"]["rank"], 4);
        assert_eq!(page["myBids"]["pageInfo"]["hasNextPage"], true);
        let next = "query($after: String) { myBids(status: OPEN, after: $after) { edges { node { price { amountMinor } market { id } } } pageInfo { hasNextPage } } }";
        let page = market.data("bidding", Some(&buyer), next, json!({ "after": page["myBids"]["edges"][0]["cursor"] })).await;
        assert_eq!(page["myBids"]["edges"], json!([{ "node": { "price": { "amountMinor": 15_000 }, "market": { "id": pit.id } } }]));
        assert_eq!(bids(market, &pit.seller).await, Vec::<Value>::new());
    }

    async fn a_preview_tells_fees_and_payout(market: &Market) {
        let pit = Pit::open(market).await;
        let query = "query($id: ID!, $price: Long!) { askPreview(marketId: $id, priceMinor: $price) { matchesNow price { amountMinor }
            transactionFee { amountMinor } processingFee { amountMinor } payout { amountMinor } level }
            bidPreview(marketId: $id, priceMinor: $price) { matchesNow total { amountMinor } } }";
        let preview = async |price: i64| market.ask("bidding", Some(&pit.seller), query, json!({ "id": pit.id, "price": price })).await;
        let alone = preview(20_000).await;
        assert_eq!(alone["data"]["askPreview"], json!({ "matchesNow": false, "price": { "amountMinor": 20_000 }, "transactionFee": { "amountMinor": 1_800 },
            "processingFee": { "amountMinor": 600 }, "payout": { "amountMinor": 17_600 }, "level": 1 }));
        assert_eq!(alone["data"]["bidPreview"], json!({ "matchesNow": false, "total": { "amountMinor": 20_000 } }));
        pit.bid(&market.buyer(), 30_000).await;
        let met = preview(20_000).await;
        assert_eq!((met["data"]["askPreview"]["matchesNow"].as_bool(), met["data"]["askPreview"]["payout"]["amountMinor"].as_i64()), (Some(true), Some(26_400)));
        assert_eq!(preview(20_001).await["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

async fn bids(market: &Market, by: &crate::support::Person) -> Vec<Value> {
    let query = "query { myBids { edges { node { id price { amountMinor } rank status } } } }";
    let seen = market.data("bidding", Some(by), query, json!({})).await;
    seen["myBids"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
