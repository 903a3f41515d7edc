//! Listing an item: the offer and its pieces in one go.

use super::*;

const LIST: &str = "mutation($input: ListItemInput!) { listItem(input: $input) {
    listing { id state refusedBecause quantity offer { id version publication condition price { amountMinor } variant { id } } }
    userErrors { code field message existingOffer { id price { amountMinor } } variantIds } } }";

/// Ten pieces, new, for 12.50 EUR, with a new key and what `more` says.
fn item(more: Value) -> Value {
    let mut input = json!({
        "condition": "NEW", "price": { "amountMinor": 1250, "currency": "EUR" }, "quantity": 10, "idempotencyKey": key(),
        "waitMs": 10_000,
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

pub(super) async fn list(market: &Market, by: &Person, more: Value) -> Value {
    market.data("catalog", Some(by), LIST, json!({ "input": item(more) })).await["listItem"].take()
}

/// What inventory says can be bought of an offer.
pub(super) async fn available(market: &Market, offer: &Value) -> i64 {
    let query = "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Offer { available } } }";
    let keys = json!([{ "__typename": "Offer", "id": offer }]);
    let found = market.data("inventory", None, query, json!({ "keys": keys })).await;
    found["_entities"][0]["available"].as_i64().unwrap()
}

/// A published book with this number.
pub(super) async fn book(market: &Market, by: &Person, title: &str, gtin: &str) -> (Value, Value) {
    let product = draft(market, by, title).await;
    let input = json!({ "productId": product["id"], "gtin": gtin, "idempotencyKey": key() });
    let variant = done(market, by, "addVariant", "variant", input).await;
    (done(market, by, "publishProduct", "product", seen(&product)).await, variant)
}

async fn location(market: &Market, by: &Person, name: &str) -> Value {
    let query = "mutation($input: CreateLocationInput!) { createLocation(input: $input) { location { id version } } }";
    let input = json!({ "name": name, "idempotencyKey": key() });
    market.data("inventory", Some(by), query, json!({ "input": input })).await["createLocation"]["location"]
        .take()
}

souk_test! {
    async fn a_book_is_listed_by_its_number_with_its_stock(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (_, variant) = book(market, &ada, "The Hunger Games", "9780439023481").await;
        for (number, condition) in [
            ("978-0-439-02348-1", "NEW"), ("0439023483", "GOOD"), ("0-439-02348-3", "LIKE_NEW"), ("09780439023481", "ACCEPTABLE"),
        ] {
            let listed = list(market, &bob, json!({ "gtin": number, "condition": condition })).await;
            let listing = &listed["listing"];
            assert_eq!((&listing["state"], &listed["userErrors"]), (&json!("LISTED"), &json!([])), "{number}");
            assert_eq!((&listing["offer"]["variant"]["id"], &listing["offer"]["publication"]), (&variant["id"], &json!("PUBLISHED")));
            assert_eq!(available(market, &listing["offer"]["id"]).await, 10);
        }
        let mine = market.data("inventory", Some(&bob), "{ myLocations { nodes { name } } }", json!({})).await;
        assert_eq!(mine["myLocations"]["nodes"], json!([{ "name": "Store room" }]), "a seller without a location gets one");
        let query = "{ myListings(state: LISTED, first: 3) { nodes { quantity } pageInfo { hasNextPage } } }";
        let mine = market.data("catalog", Some(&bob), query, json!({})).await;
        assert_eq!(mine["myListings"]["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(mine["myListings"]["pageInfo"]["hasNextPage"], true);
        let report = inventory::verify(&market.env("inventory").db).await.unwrap();
        assert!(report.is_right(), "{report}");
    }

    async fn the_same_key_lists_once(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (_, variant) = published(market, &ada, "Lamp").await;
        let input = json!({ "variantId": variant["id"], "idempotencyKey": "once" });
        let raced = futures::future::join_all((0..6).map(|_| list(market, &ada, input.clone()))).await;
        assert!(raced.iter().all(|listed| listed["listing"]["id"] == raced[0]["listing"]["id"] && listed["userErrors"] == json!([])));
        market.settle().await;
        assert_eq!(available(market, &raced[0]["listing"]["offer"]["id"]).await, 10);
        let other = list(market, &ada, json!({ "variantId": variant["id"], "quantity": 11, "idempotencyKey": "once" })).await;
        assert_eq!(codes(&other), ["IDEMPOTENCY_CONFLICT"]);
    }

    async fn nobody_lists_the_same_thing_twice(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (product, _) = published(market, &ada, "Lamp").await;
        let input = json!({ "productId": product["id"] });
        let raced = futures::future::join_all((0..8).map(|_| list(market, &ada, input.clone()))).await;
        let refused: Vec<&Value> = raced.iter().filter(|listed| listed["listing"].is_null()).collect();
        assert_eq!(refused.len(), 7);
        let listed = raced.iter().find(|listed| listed["listing"].is_object()).unwrap();
        let offer = &listed["listing"]["offer"]["id"];
        for refused in refused {
            assert_eq!(codes(refused), ["ALREADY_LISTED"]);
            assert_eq!(refused["userErrors"][0]["existingOffer"], json!({ "id": offer, "price": { "amountMinor": 1250 } }));
        }
        let more = json!({ "productId": product["id"], "ifListed": "UPDATE", "quantity": 5, "price": { "amountMinor": 999, "currency": "EUR" } });
        let raced = futures::future::join_all((0..4).map(|_| list(market, &ada, more.clone()))).await;
        assert!(raced.iter().all(|listed| listed["listing"]["state"] == "LISTED" && listed["listing"]["offer"]["id"] == *offer), "{raced:?}");
        assert_eq!(raced[0]["listing"]["offer"]["price"]["amountMinor"], 999);
        assert_eq!(available(market, offer).await, 30);
    }

    async fn listing_again_brings_a_hidden_offer_back(market: &Market) {
        let ada = market.seller("Ada's").await;
        let (product, variant) = published(market, &ada, "Lamp").await;
        let hidden = offer(market, &ada, &variant, "NEW", 1250).await;
        done(market, &ada, "archiveOffer", "offer", seen(&hidden)).await;
        let listed = list(market, &ada, json!({ "productId": product["id"], "ifListed": "UPDATE", "quantity": 0 })).await;
        assert_eq!((&listed["listing"]["state"], &listed["listing"]["offer"]["publication"]), (&json!("LISTED"), &json!("PUBLISHED")));
        assert_eq!(available(market, &hidden["id"]).await, 0);
    }

    async fn what_cannot_be_listed_says_why(market: &Market) {
        let (ada, bob, admin) = (market.seller("Ada's").await, market.seller("Bob's").await, market.admin());
        let (product, first) = published(market, &ada, "Shirt").await;
        let second = variant(market, &ada, &product, "L").await;
        let secret = draft(market, &ada, "Secret").await;
        let hidden = variant(market, &ada, &secret, "M").await;
        let refused = async |by: &Person, more: Value| list(market, by, more).await["userErrors"].take();
        let wrong = refused(&bob, json!({ "gtin": "978-0-439-02348-2" })).await;
        assert_eq!((&wrong[0]["code"], &wrong[0]["field"]), (&json!("INVALID_GTIN"), &json!(["input", "gtin"])));
        assert_eq!(wrong[0]["message"], "has a wrong check digit: the last character would be 1");
        let choose = refused(&bob, json!({ "productId": product["id"] })).await;
        assert_eq!((&choose[0]["code"], &choose[0]["variantIds"]), (&json!("CHOOSE_VARIANT"), &json!([first["id"], second["id"]])));
        for (by, more, code) in [
            (&bob, json!({ "gtin": "9780439023481" }), "ITEM_NOT_FOUND"),
            (&bob, json!({ "variantId": hidden["id"] }), "ITEM_NOT_FOUND"),
            (&ada, json!({ "variantId": hidden["id"] }), "PRODUCT_NOT_PUBLISHED"),
            (&bob, json!({ "variantId": first["id"], "quantity": -1 }), "INVALID_INPUT"),
            (&bob, json!({ "variantId": first["id"], "quantity": 1_000_001 }), "INVALID_INPUT"),
            (&bob, json!({ "variantId": first["id"], "price": { "amountMinor": 0, "currency": "EUR" } }), "INVALID_INPUT"),
            (&bob, json!({ "variantId": first["id"], "sellerId": ada.seller }), "SELLER_NOT_FOUND"),
            (&admin, json!({ "variantId": first["id"] }), "SELLER_NOT_FOUND"),
            (&market.buyer(), json!({ "variantId": first["id"] }), "SELLER_NOT_VERIFIED"),
        ] {
            assert_eq!(refused(by, more.clone()).await[0]["code"], code, "{more}");
        }
        for more in [json!({}), json!({ "gtin": "9780439023481", "variantId": first["id"] }), json!({ "variantId": first["id"], "waitMs": 10_001 })] {
            let answer = market.ask("catalog", Some(&bob), LIST, json!({ "input": item(more) })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
        let for_bob = list(market, &admin, json!({ "variantId": first["id"], "sellerId": bob.seller })).await;
        assert_eq!(for_bob["listing"]["state"], "LISTED");
        let query = "query($id: ID!) { listing(id: $id) { id } }";
        for (by, sees) in [(&ada, false), (&bob, true), (&admin, true), (&market.buyer(), false)] {
            let found = market.data("catalog", Some(by), query, json!({ "id": for_bob["listing"]["id"] })).await;
            assert_eq!(found["listing"].is_object(), sees);
        }
    }

    async fn a_place_that_takes_nothing_leaves_the_offer_out_of_stock(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (_, variant) = published(market, &ada, "Lamp").await;
        let (ours, theirs) = (location(market, &ada, "Shed").await, location(market, &bob, "Shed").await);
        let foreign = list(market, &ada, json!({ "variantId": variant["id"], "locationId": theirs["id"] })).await;
        assert_eq!((&foreign["listing"]["state"], &foreign["listing"]["refusedBecause"]), (&json!("STOCK_REFUSED"), &json!("LOCATION_NOT_FOUND")));
        let close = "mutation($input: ChangeLocationInput!) { changeLocation(input: $input) { userErrors { code } } }";
        let closed = json!({ "id": ours["id"], "open": false });
        market.data("inventory", Some(&ada), close, json!({ "input": closed })).await;
        for place in [ours["id"].clone(), Value::Null] {
            let more = json!({ "variantId": variant["id"], "locationId": place, "ifListed": "UPDATE" });
            let refused = list(market, &ada, more).await;
            assert_eq!((&refused["listing"]["state"], &refused["listing"]["refusedBecause"]), (&json!("STOCK_REFUSED"), &json!("LOCATION_CLOSED")));
        }
        assert_eq!(available(market, &foreign["listing"]["offer"]["id"]).await, 0);
        let attic = location(market, &ada, "Attic").await;
        let mended = list(market, &ada, json!({ "variantId": variant["id"], "locationId": attic["id"], "ifListed": "UPDATE" })).await;
        assert_eq!(mended["listing"]["state"], "LISTED");
        assert_eq!(available(market, &mended["listing"]["offer"]["id"]).await, 10);
    }

    silent async fn a_listing_waits_for_its_stock_only_so_long(market: &Market) {
        let ada = market.person(&[chassis::auth::Role::Seller]);
        let ada = Person { seller: Some(contract::SellerId::new()), ..ada };
        market.say_seller(&ada, "Ada's", contract::event::accounts::SellerStatus::Verified, 1).await;
        let accounts = market.souk.services.iter().find(|service| service.name.as_str() == "accounts").unwrap();
        market.souk.relay(accounts).turn().await.unwrap();
        let (_, variant) = published(market, &ada, "Lamp").await;
        let listed = list(market, &ada, json!({ "variantId": variant["id"], "waitMs": 0 })).await;
        assert_eq!(listed["listing"]["state"], "STOCKING");
        // Said twice: a relay that died after the delivery says it again.
        for service in ["catalog", "inventory"] {
            let service = market.souk.services.iter().find(|one| one.name.as_str() == service).unwrap();
            while market.souk.relay(service).turn().await.unwrap() {}
            chassis::outbox::replay(&service.env.db, chrono::DateTime::UNIX_EPOCH).await.unwrap();
            while market.souk.relay(service).turn().await.unwrap() {}
        }
        let query = "query($id: ID!) { listing(id: $id) { state } }";
        let found = market.data("catalog", Some(&ada), query, json!({ "id": listed["listing"]["id"] })).await;
        assert_eq!(found["listing"]["state"], "LISTED");
        assert_eq!(available(market, &listed["listing"]["offer"]["id"]).await, 10);
    }
}
