//! Sellers: from the application to the decision.

use entity::shared::outbox;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::*;

async fn apply(market: &Market, by: &Person, name: &str, key: &str) -> Value {
    let input = json!({ "name": name, "idempotencyKey": key });
    mutate(market, Some(by), "applyAsSeller", "ApplyAsSellerInput", input, "seller { id name status }").await
}

/// Decides as `by`; `reason` where the decision takes one.
async fn decide(market: &Market, by: &Person, field: &str, id: &Value, reason: Option<&str>) -> Value {
    let (input_type, input) = match reason {
        Some(reason) => ("SellerRefusalInput", json!({ "sellerId": id, "reason": reason })),
        None => ("SellerDecisionInput", json!({ "sellerId": id })),
    };
    mutate(market, Some(by), field, input_type, input, "seller { status reason }").await
}

async fn seller(market: &Market, by: Option<&Person>, id: &Value) -> Value {
    let query = "query($id: ID!) { seller(id: $id) { name status reason owner { displayName } } }";
    market.data("accounts", by, query, json!({ "id": id })).await["seller"].take()
}

/// The statuses that other services were told, in order.
async fn told(market: &Market) -> Vec<(i64, String)> {
    let rows = outbox::Entity::find()
        .filter(outbox::Column::Kind.eq("accounts.seller_changed"))
        .order_by_asc(outbox::Column::Seq)
        .all(market.env("accounts").db.read())
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let envelope: Value = serde_json::from_str(&row.envelope).unwrap();
            (row.aggregate_version, envelope["payload"]["status"].as_str().unwrap().to_owned())
        })
        .collect()
}

souk_test! {
    async fn a_seller_applies_is_verified_suspended_and_reinstated(market: &Market) {
        let (ada, root) = (member(market, "ada").await, admin(market).await.person);
        let applied = apply(market, &ada.person, "Ada’s Böoks", "1").await;
        assert_eq!(applied["seller"]["status"], "PENDING");
        let id = applied["seller"]["id"].clone();
        assert_eq!(seller(market, None, &id).await, json!(null));
        decide(market, &root, "verifySeller", &id, None).await;
        let roles = me(market, Some(&again(market, &ada).await), "roles seller { id status }").await;
        assert_eq!(roles, json!({ "roles": ["BUYER", "SELLER"], "seller": { "id": id, "status": "VERIFIED" } }));
        decide(market, &root, "suspendSeller", &id, Some("late parcels")).await;
        let public = json!({ "name": "Ada’s Böoks", "status": "SUSPENDED", "reason": null, "owner": null });
        assert_eq!(seller(market, None, &id).await, public);
        let own = seller(market, Some(&ada.person), &id).await;
        assert_eq!((&own["reason"], &own["owner"]["displayName"]), (&json!("late parcels"), &json!("ada")));
        assert_eq!(me(market, Some(&again(market, &ada).await), "roles").await["roles"], json!(["BUYER"]));
        let reinstated = decide(market, &root, "reinstateSeller", &id, None).await;
        assert_eq!(reinstated["seller"], json!({ "status": "VERIFIED", "reason": null }));
        let expected = ["PENDING", "VERIFIED", "SUSPENDED", "VERIFIED"].map(str::to_owned);
        assert_eq!(told(market).await, (1..).zip(expected).collect::<Vec<_>>());
    }

    async fn who_was_rejected_may_apply_again(market: &Market) {
        let (ada, root) = (member(market, "ada").await.person, admin(market).await.person);
        let id = apply(market, &ada, "Books", "1").await["seller"]["id"].take();
        assert_eq!(codes(&apply(market, &ada, "More books", "2").await), ["ALREADY_APPLIED"]);
        decide(market, &root, "rejectSeller", &id, Some("no imprint")).await;
        let again = apply(market, &ada, "More books", "3").await;
        assert_eq!(again["seller"], json!({ "id": id, "name": "More books", "status": "PENDING" }));
        let statuses: Vec<_> = told(market).await.into_iter().map(|(_, status)| status).collect();
        assert_eq!(statuses, ["PENDING", "REJECTED", "PENDING"]);
    }

    async fn the_same_application_twice_is_one(market: &Market) {
        let ada = member(market, "ada").await.person;
        let first = apply(market, &ada, "Books", "1").await;
        assert_eq!(apply(market, &ada, "Books", "1").await, first);
        assert_eq!(codes(&apply(market, &ada, "Shoes", "1").await), ["IDEMPOTENCY_CONFLICT"]);
        assert_eq!(codes(&apply(market, &ada, "Bo\0ks", "2").await), ["INVALID_INPUT"]);
        assert_eq!(told(market).await.len(), 1);
    }

    async fn a_decision_starts_where_it_may(market: &Market) {
        let (ada, root) = (member(market, "ada").await.person, admin(market).await.person);
        let id = apply(market, &ada, "Books", "1").await["seller"]["id"].take();
        assert_eq!(codes(&decide(market, &root, "suspendSeller", &id, Some("why not")).await), ["WRONG_STATUS"]);
        assert_eq!(codes(&decide(market, &root, "reinstateSeller", &id, None).await), ["WRONG_STATUS"]);
        assert_eq!(codes(&decide(market, &root, "rejectSeller", &id, Some(" ")).await), ["INVALID_INPUT"]);
        let nobody = json!(contract::SellerId::new());
        assert_eq!(codes(&decide(market, &root, "verifySeller", &nobody, None).await), ["NOT_FOUND"]);
    }

    async fn only_admins_decide(market: &Market) {
        let ada = member(market, "ada").await.person;
        let id = apply(market, &ada, "Books", "1").await["seller"]["id"].take();
        let query = "mutation($id: ID!) { verifySeller(input: { sellerId: $id }) { seller { id } } }";
        let answer = market.ask("accounts", Some(&ada), query, json!({ "id": id })).await;
        assert_eq!(denied(&answer), "FORBIDDEN");
        let answer = market.ask("accounts", Some(&ada), "{ sellers { edges { node { id } } } }", json!({})).await;
        assert_eq!(denied(&answer), "FORBIDDEN");
    }

    async fn admins_page_through_applications(market: &Market) {
        let root = admin(market).await.person;
        for name in ["ada", "bob", "eve"] {
            let person = member(market, name).await.person;
            apply(market, &person, name, "1").await;
        }
        let query = "query($after: String) {
            sellers(status: PENDING, first: 2, after: $after) {
                edges { node { name owner { email } } } pageInfo { hasNextPage endCursor }
            }
        }";
        let first = market.data("accounts", Some(&root), query, json!({})).await["sellers"].take();
        assert_eq!(first["edges"][1]["node"], json!({ "name": "bob", "owner": { "email": "bob@example.org" } }));
        assert_eq!(first["pageInfo"]["hasNextPage"], true);
        let after = json!({ "after": first["pageInfo"]["endCursor"] });
        let second = market.data("accounts", Some(&root), query, after).await["sellers"].take();
        assert_eq!(second["edges"].as_array().unwrap().len(), 1);
        assert_eq!(second["edges"][0]["node"]["name"], "eve");
    }

    async fn a_seller_is_ensured_once(market: &Market) {
        let env = market.env("accounts");
        let first = accounts::ensure_seller(env, "shop@example.org", PASSWORD, "Demo Books").await.unwrap();
        let second = accounts::ensure_seller(env, "Shop@example.org", PASSWORD, "Demo Books").await.unwrap();
        assert_eq!(first, second);
        assert_eq!(seller(market, None, &json!(first.1)).await["status"], "VERIFIED");
        assert!(accounts::ensure_seller(env, "no address", PASSWORD, "Demo Books").await.is_err());
    }
}
