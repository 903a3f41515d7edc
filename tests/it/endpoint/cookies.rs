//! The refresh token of a browser: a cookie, from the sign-in to the sign-out.

use chrono::TimeDelta;
use serde_json::json;

use super::*;

const REGISTER: &str = "mutation($input: RegisterInput!) { it: register(input: $input) { \
    tokens { accessToken refreshToken } userErrors { code } } }";
const REFRESH: &str =
    "mutation { it: refreshSession { tokens { accessToken refreshToken } userErrors { code } } }";
const LOG_OUT: &str = "mutation { it: logOut { endedSessions userErrors { code } } }";

const NAME: &str = "__Host-souk-refresh";
/// Thirty days, for this host alone, out of reach of scripts and of forms of other sites.
const KEPT: &str = "Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax";
const FORGOTTEN: &str = "Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";

/// A browser, as far as cookies go: sends what it holds, keeps what it is told to.
struct Browser<'s> {
    site: &'s Site,
    cookie: Option<String>,
}

impl<'s> Browser<'s> {
    /// Somebody who has just registered.
    async fn signed_in(site: &'s Site, name: &str) -> Self {
        let mut browser = Self { site, cookie: None };
        let input = json!({ "email": format!("{name}@example.org"), "password": "correct horse battery",
            "displayName": name, "refreshTokenDelivery": "COOKIE" });
        let payload = browser.ask(REGISTER, json!({ "input": input }), KEPT).await;
        assert_eq!((codes(&payload), &payload["tokens"]["refreshToken"]), (vec![], &json!(null)));
        assert!(payload["tokens"]["accessToken"].is_string(), "{payload}");
        browser
    }

    /// From a page of the endpoint's own origin, and expects that a cookie with `attributes` is set; empty: none.
    async fn ask(&mut self, query: &str, variables: Value, attributes: &str) -> Value {
        let origin = self.site.url.trim_end_matches("/graphql").to_owned();
        let response = self.request(query, variables).header("origin", origin).send().await.unwrap();
        let lines: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        let lines: Vec<_> = lines.iter().map(|line| line.to_str().unwrap().to_owned()).collect();
        assert_eq!(lines.len(), usize::from(!attributes.is_empty()), "{lines:?}");
        for line in lines {
            let (pair, given) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!((name, given), (NAME, attributes));
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        response.json::<Value>().await.unwrap()["data"]["it"].take()
    }

    fn request(&self, query: &str, variables: Value) -> reqwest::RequestBuilder {
        let request = self.site.request(None, query, variables);
        match &self.cookie {
            Some(cookie) => request.header("cookie", format!("theme=dark; {NAME}={cookie}")),
            None => request.header("cookie", "theme=dark"),
        }
    }

    /// What a refresh by a page of `origin` is answered; the browser keeps no answer.
    async fn refresh_from(&self, origin: &str) -> (reqwest::header::HeaderMap, Value) {
        let response = self.request(REFRESH, json!({})).header("origin", origin).send().await.unwrap();
        (response.headers().clone(), response.json::<Value>().await.unwrap()["data"]["it"].take())
    }
}

fn codes(payload: &Value) -> Vec<&str> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("no payload: {payload}"));
    errors.iter().map(|error| error["code"].as_str().unwrap()).collect()
}

souk_test! {
    async fn a_browser_goes_on_by_its_cookie_alone_however_accounts_is_called(market: &Market) {
        for (name, subgraphs) in [("ada", Subgraphs::InProcess), ("bob", Subgraphs::OverHttp)] {
            let site = Site::open(market, subgraphs).await;
            let mut browser = Browser::signed_in(&site, name).await;
            let first = browser.cookie.clone();
            let payload = browser.ask(REFRESH, json!({}), KEPT).await;
            assert_eq!((codes(&payload), &payload["tokens"]["refreshToken"]), (vec![], &json!(null)));
            assert_ne!(browser.cookie, first, "each refresh gives a new one");
            let token = payload["tokens"]["accessToken"].as_str().unwrap().to_owned();
            let person = Person { user: contract::UserId::new(), token, seller: None };
            assert_eq!(site.ask(Some(&person), "{ me { displayName } }", json!({})).await["data"]["me"]["displayName"], name);
            let payload = browser.ask(LOG_OUT, json!({}), FORGOTTEN).await;
            assert_eq!((&payload["endedSessions"], &browser.cookie), (&json!(1), &None));
            assert_eq!(codes(&browser.ask(REFRESH, json!({}), "").await), ["NO_TOKEN"]);
            site.close().await;
        }
    }

    async fn a_cookie_that_was_used_before_is_taken_away(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let mut browser = Browser::signed_in(&site, "ada").await;
        let mut thief = Browser { site: &site, cookie: browser.cookie.clone() };
        browser.ask(REFRESH, json!({}), KEPT).await;
        market.clock.advance(TimeDelta::seconds(31));
        assert_eq!(codes(&thief.ask(REFRESH, json!({}), FORGOTTEN).await), ["BAD_TOKEN"]);
        assert_eq!(codes(&browser.ask(REFRESH, json!({}), FORGOTTEN).await), ["BAD_TOKEN"]);
        assert_eq!((thief.cookie, browser.cookie), (None, None));
        site.close().await;
    }

    async fn a_page_of_another_origin_cannot_use_the_cookie(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let browser = Browser::signed_in(&site, "ada").await;
        for origin in ["https://evil.example", "null", "http://127.0.0.1"] {
            let (headers, payload) = browser.refresh_from(origin).await;
            assert_eq!(codes(&payload), ["NO_TOKEN"], "{origin}");
            assert!(!headers.contains_key("set-cookie"), "{origin}");
            assert!(!headers.contains_key("access-control-allow-credentials"), "{origin}");
        }
        // A form of another site sends no more than this, and it is refused before anything is read.
        let form = site.client.post(&site.url).header("content-type", "text/plain");
        let form = form.header("cookie", format!("{NAME}={}", browser.cookie.as_deref().unwrap()));
        let form = form.body(json!({ "query": REFRESH }).to_string()).send().await.unwrap();
        assert!(form.status().is_client_error() && !form.headers().contains_key("set-cookie"), "{form:?}");
        let (headers, payload) = browser.refresh_from(ALLOWED_ORIGIN).await;
        assert_eq!(codes(&payload), Vec::<&str>::new(), "the session goes on, and an allowed site may use it");
        assert_eq!(headers["access-control-allow-origin"], ALLOWED_ORIGIN);
        assert_eq!(headers["access-control-allow-credentials"], "true");
        site.close().await;
    }

    async fn signing_out_ends_the_session_of_the_cookie_as_well(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let mut browser = Browser::signed_in(&site, "ada").await;
        let second = Browser { site: &site, cookie: browser.cookie.clone() };
        let payload = browser.ask(REFRESH, json!({}), KEPT).await;
        let token = payload["tokens"]["accessToken"].as_str().unwrap().to_owned();
        let response = browser.request(LOG_OUT, json!({})).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.json::<Value>().await.unwrap()["data"]["it"]["endedSessions"], 1);
        assert_eq!(codes(&second.refresh_from(ALLOWED_ORIGIN).await.1), ["BAD_TOKEN"]);
        site.close().await;
    }
}
