//! Admins: users, roles and the audit trail.

use serde_json::json;

use super::*;

const USERS: &str = "query($email: String, $first: Int) {
    users(email: $email, first: $first) { edges { node { displayName email roles seller { name } } } }
}";

async fn role(market: &Market, by: &Person, verb: &str, user: &Person, role: &str) -> Value {
    let input = json!({ "userId": user.user, "role": role });
    let input_type = if verb == "grantRole" { "GrantRoleInput" } else { "RevokeRoleInput" };
    mutate(market, Some(by), verb, input_type, input, "user { roles }").await
}

souk_test! {
    async fn roles_count_from_the_next_sign_in(market: &Market) {
        let (root, ada) = (admin(market).await.person, member(market, "ada").await);
        let payload = role(market, &root, "grantRole", &ada.person, "AUTHENTICATOR").await;
        assert_eq!(payload["user"]["roles"], json!(["BUYER", "AUTHENTICATOR"]));
        role(market, &root, "grantRole", &ada.person, "ADMIN").await;
        let answer = market.ask("accounts", Some(&ada.person), USERS, json!({})).await;
        assert_eq!(denied(&answer), "FORBIDDEN");
        let ada_again = again(market, &ada).await;
        market.data("accounts", Some(&ada_again), USERS, json!({})).await;
        let payload = role(market, &ada_again, "revokeRole", &root, "ADMIN").await;
        assert_eq!(payload["user"]["roles"], json!(["BUYER"]));
        // Root's token says admin for ten minutes more, and changes nothing.
        let input = json!({ "input": { "userId": root.user, "role": "ADMIN" } });
        let query = "mutation($input: GrantRoleInput!) { grantRole(input: $input) { user { roles } } }";
        assert_eq!(denied(&market.ask("accounts", Some(&root), query, input).await), "FORBIDDEN");
    }

    async fn the_last_admin_stays_one(market: &Market) {
        let root = admin(market).await.person;
        assert_eq!(codes(&role(market, &root, "revokeRole", &root, "ADMIN").await), ["LAST_ADMIN"]);
        let input = json!({ "password": PASSWORD });
        let erased = mutate(market, Some(&root), "eraseAccount", "EraseAccountInput", input, "erased").await;
        assert_eq!(codes(&erased), ["LAST_ADMIN"]);
        assert_eq!(codes(&role(market, &root, "grantRole", &market.buyer(), "ADMIN").await), ["NOT_FOUND"]);
    }

    async fn an_admin_is_made_once_and_from_an_existing_user(market: &Market) {
        let env = market.env("accounts");
        let ada = member(market, "ada").await;
        let made = accounts::create_admin(env, "ADA@example.org", "another password").await.unwrap().unwrap();
        assert_eq!(made, ada.person.user);
        assert_eq!(me(market, Some(&again(market, &ada).await), "roles").await["roles"], json!(["BUYER", "ADMIN"]));
        assert!(accounts::create_admin(env, "ada", PASSWORD).await.unwrap().is_err());
        assert!(accounts::create_admin(env, "bob@example.org", "short").await.unwrap().is_err());
    }

    silent async fn admins_find_users_with_a_fixed_number_of_statements(market: &Market) {
        let root = admin(market).await.person;
        for name in ["ada", "bob", "eve", "zoe"] {
            member(market, name).await;
        }
        let found = market.data("accounts", Some(&root), USERS, json!({ "email": "BOB@example.org" })).await;
        let bob = json!({ "displayName": "bob", "email": "bob@example.org", "roles": ["BUYER"], "seller": null });
        assert_eq!(found["users"]["edges"], json!([{ "node": bob }]));
        let statements = async |first| {
            let before = market.env("accounts").db.statements();
            market.data("accounts", Some(&root), USERS, json!({ "first": first })).await;
            market.env("accounts").db.statements() - before
        };
        assert_eq!(statements(1).await, statements(5).await);
        let answer = market.ask("accounts", Some(&root), USERS, json!({ "email": "bob" })).await;
        assert_eq!(denied(&answer), "BAD_USER_INPUT");
    }

    async fn the_audit_trail_tells_who_did_what_and_no_address(market: &Market) {
        let root = admin(market).await.person;
        let ada = member(market, "ada").await;
        log_in(market, &ada.email, "wrong password").await;
        log_in(market, "nobody@example.org", "wrong password").await;
        role(market, &root, "grantRole", &ada.person, "AUTHENTICATOR").await;
        accounts::rotate_keys(market.env("accounts"), "test").await.unwrap();
        let query = "{ auditEvents(first: 5) { edges { node { actor action subject details } } } }";
        let trail = market.data("accounts", Some(&root), query, json!({})).await;
        let nodes = trail["auditEvents"]["edges"].as_array().unwrap();
        let told: Vec<_> = nodes
            .iter()
            .map(|edge| (edge["node"]["action"].as_str().unwrap(), edge["node"]["subject"].as_str().unwrap()))
            .collect();
        let ada_id = ada.person.user.to_string();
        assert_eq!(&told[1..4], [("role.grant", &*ada_id), ("login.failed", "unknown"), ("login.failed", &*ada_id)]);
        assert_eq!((told[0].0, told[4].0), ("signing_key.rotate", "login"));
        assert!(!trail.to_string().contains("example.org"));
        let broken = chassis::audit::first_broken(market.env("accounts").db.read()).await.unwrap();
        assert_eq!(broken, None);
        assert_eq!(denied(&market.ask("accounts", Some(&ada.person), query, json!({})).await), "FORBIDDEN");
    }
}
