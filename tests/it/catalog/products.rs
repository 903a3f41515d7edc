//! Products, variants and images.

use super::*;

souk_test! {
    async fn a_product_is_created_changed_published_and_archived(market: &Market) {
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Air Max 90").await;
        assert_eq!((&product["handle"], &product["publication"]), (&json!("air-max-90"), &json!("DRAFT")));
        assert_eq!(refused(market, &ada, "publishProduct", "product", seen(&product)).await, ["NO_VARIANTS"]);
        variant(market, &ada, &product, "9").await;
        let change = seen_with(&product, json!({ "brand": "Nike", "title": "Air Max" }));
        let product = done(market, &ada, "changeProduct", "product", change).await;
        assert_eq!((&product["title"], &product["brand"], &product["version"]), (&json!("Air Max"), &json!("Nike"), &json!(2)));
        let product = done(market, &ada, "publishProduct", "product", seen(&product)).await;
        assert_eq!(refused(market, &ada, "publishProduct", "product", seen(&product)).await, ["ALREADY_PUBLISHED"]);
        let product = done(market, &ada, "archiveProduct", "product", seen(&product)).await;
        assert_eq!(refused(market, &ada, "archiveProduct", "product", seen(&product)).await, ["ALREADY_ARCHIVED"]);
        let cleared = seen_with(&product, json!({ "brand": null }));
        assert_eq!(done(market, &ada, "changeProduct", "product", cleared).await["brand"], Value::Null);
    }

    async fn a_stale_version_is_told_the_current_one(market: &Market) {
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Lamp").await;
        done(market, &ada, "changeProduct", "product", seen_with(&product, json!({ "title": "Lamps" }))).await;
        let again = change(market, &ada, "changeProduct", "product", seen_with(&product, json!({ "title": "L" }))).await;
        assert_eq!(codes(&again), ["STALE_VERSION"]);
        assert_eq!(again["userErrors"][0]["currentVersion"], json!(2));
        for name in ["publishProduct", "archiveProduct"] {
            assert_eq!(refused(market, &ada, name, "product", seen(&product)).await, ["STALE_VERSION"]);
        }
    }

    async fn of_two_changes_from_one_version_one_wins(market: &Market) {
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Lamp").await;
        let change = |title: &str| change(market, &ada, "changeProduct", "product", seen_with(&product, json!({ "title": title })));
        let (one, other) = (change("One"), change("Other"));
        let (one, other) = futures::join!(one, other);
        let mut both = [codes(&one), codes(&other)].concat();
        both.sort();
        assert_eq!(both, ["STALE_VERSION"]);
    }

    async fn drafts_are_hidden_from_others_and_nobody_else_changes_them(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let product = draft(market, &ada, "Secret").await;
        let variant = variant(market, &ada, &product, "M").await;
        let query = "query($id: ID!, $variant: ID!, $handle: String!) {
            byId: product(id: $id) { id } byHandle: product(handle: $handle) { id } variant(id: $variant) { id } }";
        let variables = json!({ "id": product["id"], "variant": variant["id"], "handle": product["handle"] });
        for (by, sees) in [(None, false), (Some(&bob), false), (Some(&ada), true), (Some(&admin), true)] {
            let answer = market.data("catalog", by, query, variables.clone()).await;
            for field in ["byId", "byHandle", "variant"] {
                assert_eq!(answer[field].is_object(), sees, "{field}");
            }
        }
        for name in ["changeProduct", "publishProduct", "archiveProduct"] {
            assert_eq!(refused(market, &bob, name, "product", seen(&product)).await, ["NOT_FOUND"]);
        }
        let theirs = json!({ "productId": product["id"], "idempotencyKey": key() });
        assert_eq!(refused(market, &bob, "addVariant", "variant", theirs).await, ["PRODUCT_NOT_FOUND"]);
        assert_eq!(refused(market, &bob, "changeVariant", "variant", seen(&variant)).await, ["NOT_FOUND"]);
        done(market, &admin, "publishProduct", "product", seen(&product)).await;
    }

    async fn only_verified_sellers_and_admins_create_products(market: &Market) {
        let input = || json!({ "title": "Lamp", "idempotencyKey": key() });
        assert_eq!(refused(market, &market.buyer(), "createProduct", "product", input()).await, ["SELLER_NOT_VERIFIED"]);
        done(market, &market.admin(), "createProduct", "product", input()).await;
        let query = "mutation($input: CreateProductInput!) { createProduct(input: $input) { product { id } } }";
        let answer = market.ask("catalog", None, query, json!({ "input": input() })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn a_repeated_request_creates_once(market: &Market) {
        let ada = market.seller("Ada's").await;
        let input = json!({ "title": "Lamp", "idempotencyKey": "once" });
        let first = done(market, &ada, "createProduct", "product", input.clone()).await;
        assert_eq!(done(market, &ada, "createProduct", "product", input).await, first);
        let reused = json!({ "title": "Other", "idempotencyKey": "once" });
        assert_eq!(refused(market, &ada, "createProduct", "product", reused).await, ["IDEMPOTENCY_CONFLICT"]);
        assert_ne!(draft(market, &ada, "Lamp").await["handle"], first["handle"]);
        let taken = json!({ "title": "Lamp", "handle": "lamp", "idempotencyKey": key() });
        assert_eq!(refused(market, &ada, "createProduct", "product", taken).await, ["HANDLE_TAKEN"]);
    }

    async fn titles_of_any_unicode_come_back_as_they_were(market: &Market) {
        let ada = market.seller("Ada's").await;
        for title in [
            "Ελληνικά", "עִבְרִית", "百年孤独", "👩‍👩‍👧‍👦 family", "İstanbul", "e\u{301} ≠ é",
            "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "'; drop table product; --", "100% _ \\ \"quoted\"", "\u{10ffff}",
        ] {
            let product = draft(market, &ada, title).await;
            let found = market
                .data("catalog", Some(&ada), "query($id: ID!) { product(id: $id) { title } }", json!({ "id": product["id"] }))
                .await;
            assert_eq!(found["product"]["title"], title);
        }
        for title in
            ["", "   ", "a\0b", "a\nb", "\u{202e}rtl", "zero\u{200b}width", "\u{3164}", &"x".repeat(301)]
        {
            let input = json!({ "title": title, "idempotencyKey": key() });
            let codes = refused(market, &ada, "createProduct", "product", input).await;
            assert!(codes.iter().all(|code| code == "INVALID_INPUT") && !codes.is_empty(), "{title:?}");
        }
        done(market, &ada, "createProduct", "product", json!({ "title": "é".repeat(300), "idempotencyKey": key() })).await;
    }

    async fn what_is_wrong_is_told_all_at_once(market: &Market) {
        let ada = market.seller("Ada's").await;
        let input = json!({ "title": " ", "brand": "\u{7}", "handle": "No", "idempotencyKey": key() });
        let payload = change(market, &ada, "createProduct", "product", input).await;
        let errors = payload["userErrors"].as_array().unwrap();
        let fields: Vec<_> = errors.iter().map(|error| error["field"][1].as_str().unwrap()).collect();
        assert_eq!(fields, ["title", "brand", "handle"]);
    }

    async fn a_variant_has_a_true_gtin_that_nobody_else_has(market: &Market) {
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Book").await;
        let add = |gtin: &str, sku: &str| {
            let input = json!({ "productId": product["id"], "gtin": gtin, "sku": sku, "idempotencyKey": key() });
            change(market, &ada, "addVariant", "variant", input)
        };
        assert_eq!(codes(&add("9780439023482", "a").await), ["INVALID_INPUT"]);
        let mut first = add("9780439023481", "a").await;
        assert_eq!(codes(&first), [""; 0]);
        assert_eq!(codes(&add("9780439023481", "b").await), ["GTIN_TAKEN"]);
        assert_eq!(codes(&add("4006381333931", "a").await), ["SKU_TAKEN"]);
        let second = add("4006381333931", "b").await;
        assert_eq!(second["variant"]["position"], 1);
        let first = first["variant"].take();
        let other = seen_with(&first, json!({ "gtin": "4006381333931" }));
        assert_eq!(refused(market, &ada, "changeVariant", "variant", other).await, ["GTIN_TAKEN"]);
        let other = seen_with(&first, json!({ "sku": "b" }));
        assert_eq!(refused(market, &ada, "changeVariant", "variant", other).await, ["SKU_TAKEN"]);
        let changed = done(market, &ada, "changeVariant", "variant", seen_with(&first, json!({ "gtin": null, "size": "L" }))).await;
        assert_eq!((&changed["gtin"], &changed["size"], &changed["version"]), (&Value::Null, &json!("L"), &json!(2)));
        assert_eq!(refused(market, &ada, "changeVariant", "variant", seen(&first)).await, ["STALE_VERSION"]);
    }

    async fn images_keep_their_order_and_their_ids(market: &Market) {
        let ada = market.seller("Ada's").await;
        let product = draft(market, &ada, "Lamp").await;
        let image = |name: &str| json!({ "url": format!("https://img.example/{name}.jpg"), "alt": name });
        let set = seen_with(&product, json!({ "images": [image("a"), image("b")] }));
        let product = done(market, &ada, "setProductImages", "product", set).await;
        let images = async || {
            let query = "query($id: ID!) { product(id: $id) { images { id alt } } }";
            market.data("catalog", Some(&ada), query, json!({ "id": product["id"] })).await["product"]["images"].take()
        };
        let before = images().await;
        let set = seen_with(&product, json!({ "images": [image("c"), image("b"), image("a")] }));
        let product = done(market, &ada, "setProductImages", "product", set).await;
        let after = images().await;
        assert_eq!((&after[1], &after[2]), (&before[1], &before[0]));
        for images in [
            json!([image("a"), image("a")]),
            json!([{ "url": "javascript:alert(1)" }]),
            json!([{ "url": "/a.jpg" }]),
            json!(vec![image("a"); 10_000]),
        ] {
            let set = seen_with(&product, json!({ "images": images }));
            assert_eq!(refused(market, &ada, "setProductImages", "product", set).await, ["INVALID_INPUT"]);
        }
    }

    async fn ids_that_are_none_are_refused_and_unknown_ones_not_found(market: &Market) {
        for id in ["prd_00000000000000000000000000", "prd_01h2xcejqtf2nbrexx3vqjhp41"] {
            assert_eq!(ask(market, "query($id: ID!) { product(id: $id) { id } }", json!({ "id": id })).await["product"], Value::Null);
        }
        for id in ["off_00000000000000000000000000", "", "1", "prd_\0"] {
            let answer = market.ask("catalog", None, "query($id: ID!) { product(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
    }
}
