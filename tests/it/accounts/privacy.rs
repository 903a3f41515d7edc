//! What others see, what the database shows, and what is left after erasing.

use entity::accounts::{address, data_key, refresh_token, session, user};
use entity::shared::{audit_event, idempotency, outbox};
use sea_orm::EntityTrait;
use serde_json::json;

use super::*;

/// Everything that accounts keeps about people, as text: bytes as lists of numbers.
async fn everything(market: &Market) -> String {
    let db = market.env("accounts").db.read();
    [
        format!("{:?}", user::Entity::find().all(db).await.unwrap()),
        format!("{:?}", address::Entity::find().all(db).await.unwrap()),
        format!("{:?}", session::Entity::find().all(db).await.unwrap()),
        format!("{:?}", refresh_token::Entity::find().all(db).await.unwrap()),
        format!("{:?}", data_key::Entity::find().all(db).await.unwrap()),
        format!("{:?}", outbox::Entity::find().all(db).await.unwrap()),
        format!("{:?}", idempotency::Entity::find().all(db).await.unwrap()),
        format!("{:?}", audit_event::Entity::find().all(db).await.unwrap()),
    ]
    .concat()
}

fn holds(everything: &str, text: &str) -> bool {
    let bytes = format!("{:?}", text.as_bytes());
    everything.contains(text) || everything.contains(bytes.trim_matches(['[', ']']))
}

/// Ada with a telephone number and an address.
async fn ada(market: &Market) -> Member {
    let ada = member(market, "ada").await;
    let profile = json!({ "phone": "+4930123456" });
    mutate(market, Some(&ada.person), "updateProfile", "UpdateProfileInput", profile, "").await;
    let address = json!({ "recipient": "Countess Lovelace", "line1": "12 St James's Square", "city": "London",
        "postalCode": "SW1Y 4JH", "country": "GB" });
    let input = json!({ "address": address, "idempotencyKey": "1" });
    let added =
        mutate(market, Some(&ada.person), "addAddress", "AddAddressInput", input, "address { id }").await;
    assert_eq!(added["userErrors"], json!([]));
    ada
}

async fn erase(market: &Market, by: &Person, password: &str) -> Value {
    let input = json!({ "password": password });
    mutate(market, Some(by), "eraseAccount", "EraseAccountInput", input, "erased").await
}

souk_test! {
    async fn no_personal_data_and_no_secret_is_kept_in_clear(market: &Market) {
        let ada = ada(market).await;
        refresh(market, &ada.refresh_token).await;
        let everything = everything(market).await;
        for secret in [
            "ada@example.org", "+4930123456", "Lovelace", "St James", "London", "SW1Y", PASSWORD, &ada.refresh_token,
            &ada.person.token,
        ] {
            assert!(!holds(&everything, secret), "{secret}");
        }
        assert!(holds(&everything, "GB"));
    }

    async fn others_see_a_name_and_nothing_else(market: &Market) {
        let (ada, eve) = (ada(market).await, member(market, "eve").await);
        let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on User {
            displayName email phone locale roles createdAt preferences { language } addressBook { addresses { city } }
            seller { id }
        } } }";
        let of = json!({ "of": [{ "__typename": "User", "id": ada.person.user }] });
        let seen = async |by| market.data("accounts", by, query, of.clone()).await["_entities"][0].take();
        let public = json!({ "displayName": "ada", "email": null, "phone": null, "locale": null, "roles": null,
            "createdAt": null, "preferences": null, "addressBook": null, "seller": null });
        assert_eq!(seen(Some(&eve.person)).await, public);
        assert_eq!(seen(None).await, public);
        assert_eq!(seen(Some(&ada.person)).await["addressBook"]["addresses"][0]["city"], "London");
        let by_admin = seen(Some(&admin(market).await.person)).await;
        assert_eq!((&by_admin["email"], &by_admin["phone"]), (&json!("ada@example.org"), &json!(null)));
    }

    async fn an_erased_account_is_gone_for_good(market: &Market) {
        let ada = ada(market).await;
        let input = json!({ "name": "Books", "idempotencyKey": "1" });
        mutate(market, Some(&ada.person), "applyAsSeller", "ApplyAsSellerInput", input, "").await;
        assert_eq!(codes(&erase(market, &ada.person, "a guess").await), ["BAD_CREDENTIALS"]);
        assert_eq!(erase(market, &ada.person, PASSWORD).await["erased"], true);
        let db = market.env("accounts").db.read();
        assert!(data_key::Entity::find().all(db).await.unwrap().is_empty());
        assert!(address::Entity::find().all(db).await.unwrap().is_empty());
        let everything = everything(market).await;
        assert!(!holds(&everything, "\"ada\""));
        assert_eq!(codes(&log_in(market, &ada.email, PASSWORD).await), ["BAD_CREDENTIALS"]);
        assert_eq!(codes(&refresh(market, &ada.refresh_token).await), ["BAD_TOKEN"]);
        // The access token lives on for minutes, finds nobody and changes nothing.
        assert_eq!(me(market, Some(&ada.person), "id").await, json!(null));
        let change = "mutation { updateProfile(input: { displayName: \"Back\" }) { userErrors { code } } }";
        let answer = market.ask("accounts", Some(&ada.person), change, json!({})).await;
        assert_eq!(denied(&answer), "UNAUTHENTICATED", "{answer}");
    }

    async fn an_erased_address_can_register_anew(market: &Market) {
        let ada = ada(market).await;
        erase(market, &ada.person, PASSWORD).await;
        let anew = member(market, "ada").await;
        assert_ne!(anew.person.user, ada.person.user);
        assert_eq!(me(market, Some(&anew.person), "phone").await["phone"], json!(null));
    }

    async fn an_erased_owner_closes_the_shop(market: &Market) {
        let env = market.env("accounts");
        let (_, shop) = accounts::ensure_seller(env, "shop@example.org", PASSWORD, "Books").await.unwrap();
        let owner = signed_in(&log_in(market, "shop@example.org", PASSWORD).await, "shop@example.org".into());
        erase(market, &owner.person, PASSWORD).await;
        let query = "query($id: ID!) { seller(id: $id) { name status } }";
        let seen = market.data("accounts", None, query, json!({ "id": shop })).await["seller"].take();
        assert_eq!(seen, json!({ "name": "closed shop", "status": "SUSPENDED" }));
        let root = admin(market).await.person;
        let input = json!({ "sellerId": shop });
        let payload = mutate(market, Some(&root), "reinstateSeller", "SellerDecisionInput", input, "").await;
        assert_eq!(codes(&payload), ["OWNER_ERASED"]);
    }
}
