//! Access tokens: forged, altered, expired ones, and keys that rotate.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::Subgraph;
use chrono::TimeDelta;
use serde_json::json;
use souk::market::ServiceName;

use super::*;

fn accounts(market: &Market) -> &Subgraph {
    &market.souk.service(ServiceName::Accounts).unwrap().subgraph
}

/// What every process does each minute.
async fn follow_keys(market: &Market) {
    let job = accounts(market).jobs.iter().find(|job| job.name == "accounts.keys").unwrap();
    (job.run)().await.unwrap();
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The token with other claims or another header, and its old signature.
fn altered(token: &str, index: usize, change: impl Fn(&mut Value)) -> String {
    let mut value = part(token, index);
    change(&mut value);
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[index] = BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

async fn refused(market: &Market, token: String) -> bool {
    let person = Person { token, ..market.buyer() };
    let answer = market.ask("accounts", Some(&person), "{ me { id } }", json!({})).await;
    denied(&answer) == "UNAUTHENTICATED"
}

souk_test! {
    async fn a_token_names_user_session_and_roles(market: &Market) {
        let token = member(market, "ada").await.person.token;
        let header = part(&token, 0);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
        let claims = part(&token, 1);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("souk"), &json!("souk-api")));
        assert_eq!(claims["scope"], "buyer");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    }

    async fn an_altered_token_is_refused(market: &Market) {
        let token = member(market, "ada").await.person.token;
        assert!(!refused(market, token.clone()).await);
        let eve = member(market, "eve").await.person.user.to_string();
        for bad in [
            altered(&token, 1, |claims| claims["scope"] = json!("buyer admin")),
            altered(&token, 1, |claims| claims["sub"] = json!(eve)),
            altered(&token, 1, |claims| claims["exp"] = json!(4_000_000_000_i64)),
            altered(&token, 0, |header| header["alg"] = json!("none")),
            altered(&token, 0, |header| header["alg"] = json!("HS256")),
            altered(&token, 0, |header| header["typ"] = json!("JWT")),
            altered(&token, 0, |header| header["kid"] = json!("unknown")),
            token.rsplit_once('.').unwrap().0.to_owned() + ".",
            "not.a.token".into(),
        ] {
            assert!(refused(market, bad.clone()).await, "{bad}");
        }
    }

    async fn a_token_expires_after_ten_minutes(market: &Market) {
        let token = member(market, "ada").await.person.token;
        market.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
        assert!(!refused(market, token.clone()).await);
        market.clock.advance(TimeDelta::seconds(1));
        assert!(refused(market, token).await);
    }

    async fn tokens_outlive_a_rotation_of_keys(market: &Market) {
        let ada = member(market, "ada").await;
        let before = part(&ada.person.token, 0)["kid"].clone();
        let kid = accounts::rotate_keys(market.env("accounts"), "test").await.unwrap();
        follow_keys(market).await;
        let after = again(market, &ada).await;
        assert_eq!(part(&after.token, 0)["kid"], json!(kid));
        assert_ne!(before, json!(kid));
        assert!(!refused(market, ada.person.token.clone()).await);
        assert_eq!(market.souk.keys.published().len(), 3);
    }

    async fn a_retired_key_goes_when_its_tokens_have_expired(market: &Market) {
        let env = market.env("accounts");
        let retired = part(&member(market, "ada").await.person.token, 0)["kid"].clone();
        let kids = async || {
            follow_keys(market).await;
            market.souk.keys.published().into_iter().map(|key| json!(key.kid)).collect::<Vec<_>>()
        };
        for _ in 0..3 {
            accounts::rotate_keys(env, "test").await.unwrap();
        }
        assert!(kids().await.contains(&retired));
        market.clock.advance(TimeDelta::minutes(16));
        accounts::rotate_keys(env, "test").await.unwrap();
        assert!(!kids().await.contains(&retired));
    }

    async fn the_public_keys_are_served(market: &Market) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/.well-known/jwks.json", listener.local_addr().unwrap());
        let routes = accounts(market).routes.clone();
        market.souk.tasks.spawn({
            let stop = market.souk.tasks.stopping().clone();
            async move { axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await.unwrap() }
        });
        let body = reqwest::get(url).await.unwrap().text().await.unwrap();
        let set: Value = serde_json::from_str(&body).unwrap();
        let kid = part(&member(market, "ada").await.person.token, 0)["kid"].clone();
        let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
        assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
        assert!(key.get("d").is_none());
    }
}
