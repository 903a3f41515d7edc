//! Places where sellers keep stock.

use serde_json::{Value, json};

use super::{Shop, call, make_location};

souk_test! {
    async fn a_location_is_made_renamed_and_closed(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.stocked(10).await;
        let change = json!({ "id": shop.location, "name": "Cellar", "open": false, "expectedVersion": 1 });
        let changed = shop.does("changeLocation", change.clone()).await;
        let location = &changed["location"];
        assert_eq!(
            (&location["name"], &location["open"], &location["version"]),
            (&json!("Cellar"), &json!(false), &json!(2))
        );
        let stale = shop.does("changeLocation", change).await;
        let error = &stale["userErrors"][0];
        assert_eq!((&error["code"], &error["currentVersion"]), (&json!("STALE_VERSION"), &json!(2)));
        assert_eq!(shop.refusal("receiveStock", shop.at(offer, json!({ "quantity": 1 }))).await, "LOCATION_CLOSED");
        let out = shop.at(offer, json!({ "delta": -1, "reason": "sold by hand" }));
        assert_eq!(shop.refusal("adjustStock", out).await, "done");
    }

    async fn a_shops_locations_have_different_names(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        assert_eq!(shop.refusal("createLocation", json!({ "name": "Warehouse" })).await, "NAME_TAKEN");
        let second = make_location(market, &shop.seller, "Second").await;
        let taken = shop.refusal("changeLocation", json!({ "id": second, "name": "Warehouse" })).await;
        assert_eq!(taken, "NAME_TAKEN");
        assert_eq!(shop.refusal("changeLocation", json!({ "id": other.location, "name": "Mine" })).await, "NOT_FOUND");
        for name in ["", " ", "a\u{0}", &"x".repeat(101)] {
            assert_eq!(shop.refusal("createLocation", json!({ "name": name })).await, "INVALID_INPUT");
        }
    }

    async fn a_location_belongs_to_a_shop_that_is_known(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let admin = market.admin();
        let unnamed = call(market, &admin, "createLocation", json!({ "name": "Nowhere" })).await;
        assert_eq!(unnamed["userErrors"][0]["code"], "SELLER_NOT_FOUND");
        let named = json!({ "name": "Branch", "sellerId": shop.seller.seller });
        assert_eq!(call(market, &admin, "createLocation", named.clone()).await["location"]["name"], "Branch");
        let other = Shop::open(market, "Other").await;
        assert_eq!(other.refusal("createLocation", named).await, "SELLER_NOT_FOUND");
    }

    async fn locations_come_in_pages(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        for name in ["B", "C"] {
            make_location(market, &shop.seller, name).await;
        }
        let query = "query($after: String) { myLocations(first: 2, after: $after) {
            edges { node { name } } pageInfo { hasNextPage endCursor } } }";
        let first = market.data("inventory", Some(&shop.seller), query, json!({})).await;
        assert_eq!(first["myLocations"]["pageInfo"]["hasNextPage"], true);
        let after = &first["myLocations"]["pageInfo"]["endCursor"];
        let second = market.data("inventory", Some(&shop.seller), query, json!({ "after": after })).await;
        assert_eq!(second["myLocations"]["edges"], json!([{ "node": { "name": "C" } }]));
        let query = "query($shop: ID!) { locations(sellerId: $shop) { edges { node { name } } } }";
        let variables = json!({ "shop": shop.seller.seller });
        let all = market.data("inventory", Some(&market.admin()), query, variables.clone()).await;
        assert_eq!(all["locations"]["edges"].as_array().unwrap().len(), 3);
        let denied = market.ask("inventory", Some(&shop.seller), query, variables).await;
        assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(denied["data"], Value::Null);
    }
}
