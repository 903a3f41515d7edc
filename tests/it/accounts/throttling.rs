//! How often a password may be tried.

use axum::http::HeaderMap;
use chrono::TimeDelta;
use serde_json::json;

use super::*;

const LOG_IN: &str = "mutation($email: String!) {
    logIn(input: { email: $email, password: \"wrong password\" }) { userErrors { code } }
}";

async fn try_from(market: &Market, address: &'static str, email: &str) -> Value {
    let mut headers = HeaderMap::new();
    headers.insert("x-client-address", address.parse().unwrap());
    market.ask_with("accounts", headers, LOG_IN, json!({ "email": email })).await
}

souk_test! {
    async fn an_account_is_limited_whether_or_not_it_exists(market: &Market) {
        member(market, "ada").await;
        for email in ["ada@example.org", "nobody@example.org"] {
            for _ in 0..20 {
                assert_eq!(denied(&try_from(market, "192.0.2.1", email).await), "no error");
            }
            let answer = try_from(market, "192.0.2.2", email).await;
            assert_eq!(denied(&answer), "RATE_LIMITED");
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!((&extensions["retryable"], &extensions["retryAfterMs"]), (&json!(true), &json!(20_000)));
        }
        market.clock.advance(TimeDelta::seconds(20));
        assert_eq!(log_in(market, "ada@example.org", PASSWORD).await["user"]["displayName"], "ada");
    }

    async fn an_address_is_limited_across_accounts(market: &Market) {
        // Texts that are no e-mail address cost a hash all the same.
        let tries = (0..300).map(|_| try_from(market, "2001:db8::1", "nobody"));
        let answers = futures::future::join_all(tries).await;
        let limited = answers.iter().filter(|answer| denied(answer) == "RATE_LIMITED").count();
        let waiting = answers.iter().filter(|answer| answer["errors"][0]["extensions"]["retryAfterMs"] == 2_000);
        assert_eq!(limited, waiting.count(), "only those that found the queue full");
        let answer = try_from(market, "2001:db8::1", "nobody").await;
        assert_eq!(answer["errors"][0]["extensions"]["retryAfterMs"], 1_000);
        assert_eq!(denied(&try_from(market, "2001:db8::2", "nobody").await), "no error");
    }
}
