//! The address book.

use chassis::auth::Role;
use futures::future::join_all;
use serde_json::json;

use super::*;

const BOOK: &str = "addressBook {
    defaultShippingId defaultBillingId addresses { id recipient line1 line2 city country phone }
}";

fn postal(recipient: &str) -> Value {
    json!({ "recipient": recipient, "line1": "1 Rue de l’Église", "city": "Québec", "country": "ca" })
}

async fn add(market: &Market, by: &Person, postal: Value, key: &str) -> Value {
    let input = json!({ "address": postal, "idempotencyKey": key });
    let selection = format!("address {{ id recipient }} {BOOK}");
    mutate(market, Some(by), "addAddress", "AddAddressInput", input, &selection).await
}

async fn change(market: &Market, by: &Person, input: Value) -> Value {
    mutate(market, Some(by), "changeAddress", "ChangeAddressInput", input, BOOK).await
}

async fn remove(market: &Market, by: &Person, id: &Value) -> Value {
    mutate(market, Some(by), "removeAddress", "RemoveAddressInput", json!({ "id": id }), "removedId").await
}

souk_test! {
    async fn addresses_come_change_and_go(market: &Market) {
        let ada = member(market, "ada").await.person;
        let home = add(market, &ada, postal("Ada"), "1").await["address"]["id"].take();
        let payload = add(market, &ada, postal("Office"), "2").await;
        let office = payload["address"]["id"].clone();
        // The first address is the default until another one is named.
        assert_eq!(payload["addressBook"]["defaultShippingId"], home);
        let mut moved = postal("Office 2");
        moved["line2"] = json!("3rd floor");
        moved["phone"] = json!("+1 418 5550000");
        let input = json!({ "id": office, "address": moved, "defaultShipping": true });
        let book = change(market, &ada, input).await["addressBook"].take();
        assert_eq!((&book["defaultShippingId"], &book["defaultBillingId"]), (&office, &home));
        assert_eq!(book["addresses"][1], json!({
            "id": office, "recipient": "Office 2", "line1": "1 Rue de l’Église", "line2": "3rd floor",
            "city": "Québec", "country": "CA", "phone": "+14185550000",
        }));
        assert_eq!(remove(market, &ada, &home).await["removedId"], home);
        let book = me(market, Some(&ada), BOOK).await["addressBook"].take();
        assert_eq!((&book["defaultShippingId"], &book["defaultBillingId"]), (&office, &json!(null)));
        assert_eq!(book["addresses"].as_array().unwrap().len(), 1);
    }

    async fn the_same_request_twice_adds_one_address(market: &Market) {
        let ada = member(market, "ada").await.person;
        let payloads = join_all((0..4).map(|_| add(market, &ada, postal("Ada"), "same"))).await;
        assert!(payloads.iter().all(|payload| payload["address"]["id"] == payloads[0]["address"]["id"]));
        assert_eq!(payloads[0]["addressBook"]["addresses"].as_array().unwrap().len(), 1);
        assert_eq!(codes(&add(market, &ada, postal("Eve"), "same").await), ["IDEMPOTENCY_CONFLICT"]);
    }

    async fn somebody_elses_address_is_not_found(market: &Market) {
        let (ada, eve) = (member(market, "ada").await.person, member(market, "eve").await.person);
        let home = add(market, &ada, postal("Ada"), "1").await["address"]["id"].take();
        assert_eq!(codes(&remove(market, &eve, &home).await), ["NOT_FOUND"]);
        let input = json!({ "id": home, "address": postal("Eve"), "defaultShipping": true });
        assert_eq!(codes(&change(market, &eve, input).await), ["NOT_FOUND"]);
        assert_eq!(me(market, Some(&ada), BOOK).await["addressBook"]["addresses"][0]["recipient"], "Ada");
    }

    async fn an_address_by_itself_is_its_owner_s_and_the_authentication_centre_s(market: &Market) {
        let (ada, eve) = (member(market, "ada").await.person, member(market, "eve").await.person);
        let home = add(market, &ada, postal("Ada"), "1").await["address"]["id"].take();
        let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Address { recipient } } }";
        let of = json!({ "of": [{ "__typename": "Address", "id": home }] });
        let centre = market.person(&[Role::Buyer, Role::Authenticator]);
        for (by, sees) in [(Some(&ada), true), (Some(&centre), true), (Some(&eve), false), (Some(&market.admin()), false), (None, false)] {
            let seen = market.data("accounts", by, query, of.clone()).await["_entities"][0].take();
            assert_eq!(seen, if sees { json!({ "recipient": "Ada" }) } else { Value::Null });
        }
    }

    async fn an_address_book_holds_fifty(market: &Market) {
        let ada = member(market, "ada").await.person;
        for number in 0..49 {
            add(market, &ada, postal("Ada"), &number.to_string()).await;
        }
        let keys: Vec<_> = (0..4).map(|number| format!("last {number}")).collect();
        let payloads = join_all(keys.iter().map(|key| add(market, &ada, postal("Ada"), key))).await;
        let full = payloads.iter().filter(|payload| codes(payload) == ["ADDRESS_BOOK_FULL"]).count();
        assert_eq!(full, 3);
    }

    async fn a_bad_address_is_refused_with_its_field(market: &Market) {
        let ada = member(market, "ada").await.person;
        for (field, value) in [
            ("recipient", json!("")),
            ("line1", json!("a\0b")),
            ("line2", json!("x".repeat(201))),
            ("city", json!("\n")),
            ("postalCode", json!("x".repeat(21))),
            ("country", json!("Canada")),
            ("phone", json!("555")),
        ] {
            let mut address = postal("Ada");
            address[field] = value;
            let payload = add(market, &ada, address, field).await;
            assert_eq!(payload["userErrors"][0]["field"], json!(["input", "address", field]));
            assert_eq!(codes(&payload), ["INVALID_INPUT"]);
        }
        assert_eq!(me(market, Some(&ada), BOOK).await["addressBook"]["addresses"], json!([]));
    }
}
