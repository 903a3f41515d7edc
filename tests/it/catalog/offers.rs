//! Offers and their prices.

use super::*;

fn price(amount_minor: Value, currency: &str) -> Value {
    json!({ "amountMinor": amount_minor, "currency": currency })
}

souk_test! {
    async fn every_price_that_an_offer_had_is_kept(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (_, variant) = published(market, &ada, "Lamp").await;
        let mut offer = offer(market, &ada, &variant, "NEW", 1000).await;
        for amount in [900, 900, 800] {
            market.clock.advance(chrono::TimeDelta::seconds(1));
            let change = seen_with(&offer, json!({ "price": price(json!(amount), "EUR") }));
            offer = done(market, &ada, "changeOffer", "offer", change).await;
        }
        let query = "query($id: ID!, $after: String) { offer(id: $id) { price { decimal } priceHistory(first: 2, after: $after) {
            nodes { price { amountMinor } since } pageInfo { hasNextPage endCursor } } } }";
        let first = ask(market, query, json!({ "id": offer["id"] })).await;
        let history = &first["offer"]["priceHistory"];
        assert_eq!(first["offer"]["price"]["decimal"], "8.00");
        assert_eq!((&history["nodes"][0]["price"]["amountMinor"], &history["nodes"][1]["price"]["amountMinor"]), (&json!(800), &json!(900)));
        let rest = ask(market, query, json!({ "id": offer["id"], "after": history["pageInfo"]["endCursor"] })).await;
        let rest = &rest["offer"]["priceHistory"];
        assert_eq!((rest["nodes"].as_array().unwrap().len(), &rest["nodes"][0]["price"]["amountMinor"]), (1, &json!(1000)));
        assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    }

    async fn an_offer_is_made_once_even_when_raced(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (_, variant) = published(market, &ada, "Lamp").await;
        let create = || {
            let input = json!({ "variantId": variant["id"], "condition": "NEW", "price": price(json!(100), "EUR"), "idempotencyKey": key() });
            change(market, &ada, "createOffer", "offer", input)
        };
        let raced = futures::future::join_all((0..8).map(|_| create())).await;
        let refused: Vec<String> = raced.iter().flat_map(codes).collect();
        assert_eq!(refused, ["ALREADY_OFFERED"; 7]);
        let good = offer(market, &ada, &variant, "GOOD", 50).await;
        let same = seen_with(&good, json!({ "condition": "NEW" }));
        assert_eq!(super::refused(market, &ada, "changeOffer", "offer", same).await, ["ALREADY_OFFERED"]);
    }

    async fn a_price_is_whole_positive_and_in_a_real_currency(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (_, variant) = published(market, &ada, "Lamp").await;
        let query = "mutation($input: CreateOfferInput!) { createOffer(input: $input) { offer { id } userErrors { code field } } }";
        let create = async |price: Value| {
            let input = json!({ "variantId": variant["id"], "condition": "NEW", "price": price, "idempotencyKey": key() });
            market.ask("catalog", Some(&ada), query, json!({ "input": input })).await
        };
        for wrong in [
            price(json!(10.5), "EUR"), price(json!("10"), "EUR"), price(json!(1e300), "EUR"), price(json!(9_007_199_254_740_993_i64), "EUR"),
            price(json!(100), "eur"), price(json!(100), "XYZ"), price(json!(100), ""),
        ] {
            let answer = create(wrong.clone()).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            assert!(code == "BAD_USER_INPUT" || (wrong["amountMinor"].is_string() && code == "BAD_REQUEST"), "{wrong}: {answer}");
        }
        for amount in [0, -1, 100_000_000_001_i64] {
            let answer = create(price(json!(amount), "EUR")).await;
            assert_eq!(answer["data"]["createOffer"]["userErrors"], json!([{ "code": "INVALID_INPUT", "field": ["input", "price", "amountMinor"] }]));
        }
        let literal = "mutation { changeOffer(input: { id: \"off_00000000000000000000000000\", expectedVersion: 1,
            price: { amountMinor: 10.5, currency: EUR } }) { offer { id } } }";
        let answer = market.ask("catalog", Some(&ada), literal, json!({})).await;
        assert!(answer["errors"][0]["message"].is_string() && answer["data"].is_null(), "{answer}");
    }

    async fn an_offer_belongs_to_its_seller(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let (product, variant) = published(market, &ada, "Lamp").await;
        let theirs = offer(market, &ada, &variant, "NEW", 1000).await;
        for name in ["changeOffer", "publishOffer", "archiveOffer"] {
            assert_eq!(refused(market, &bob, name, "offer", seen(&theirs)).await, ["NOT_FOUND"]);
        }
        let input = |seller: Option<&Person>| json!({
            "variantId": variant["id"], "condition": "GOOD", "price": price(json!(100), "EUR"),
            "sellerId": seller.map(|seller| seller.seller), "idempotencyKey": key(),
        });
        assert_eq!(refused(market, &bob, "createOffer", "offer", input(Some(&ada))).await, ["SELLER_NOT_FOUND"]);
        assert_eq!(refused(market, &admin, "createOffer", "offer", input(None)).await, ["SELLER_NOT_FOUND"]);
        assert_eq!(refused(market, &market.buyer(), "createOffer", "offer", input(None)).await, ["SELLER_NOT_VERIFIED"]);
        let made = done(market, &admin, "createOffer", "offer", input(Some(&bob))).await;
        let query = "query($id: ID!) { offer(id: $id) { seller { id } } }";
        for (by, sees) in [(None, false), (Some(&ada), false), (Some(&bob), true), (Some(&admin), true)] {
            let answer = market.data("catalog", by, query, json!({ "id": made["id"] })).await;
            assert_eq!(answer["offer"].is_object(), sees);
        }
        let mine = market.data("catalog", Some(&bob), "{ myOffers { nodes { id } } }", json!({})).await;
        assert_eq!(mine["myOffers"]["nodes"], json!([{ "id": made["id"] }]));
        done(market, &ada, "archiveProduct", "product", seen(&product)).await;
        assert_eq!(refused(market, &bob, "publishOffer", "offer", seen(&made)).await, ["PRODUCT_NOT_PUBLISHED"]);
        assert_eq!(ask(market, query, json!({ "id": theirs["id"] })).await["offer"], Value::Null);
        assert_eq!(refused(market, &bob, "createOffer", "offer", input(None)).await, ["VARIANT_NOT_FOUND"]);
    }

    async fn another_subgraph_finds_a_thing_by_its_key(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (product, variant) = published(market, &ada, "Lamp").await;
        let offer = offer(market, &ada, &variant, "NEW", 1000).await;
        let hidden = draft(market, &ada, "Secret").await;
        let query = "query($keys: [_Any!]!) { _entities(representations: $keys) {
            ... on Product { id } ... on Variant { id product { title } } ... on Offer { id variant { id } } } }";
        let of = |name: &str, thing: &Value| json!({ "__typename": name, "id": thing["id"] });
        let keys = json!([of("Product", &product), of("Variant", &variant), of("Offer", &offer), of("Product", &hidden)]);
        let found = ask(market, query, json!({ "keys": keys })).await;
        assert_eq!(found["_entities"], json!([
            { "id": product["id"] }, { "id": variant["id"], "product": { "title": "Lamp" } },
            { "id": offer["id"], "variant": { "id": variant["id"] } }, null,
        ]));
    }
}
