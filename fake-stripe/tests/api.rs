//! What a provider of ours may rely on: keys under faults and races, determinism, books that add up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fake_stripe::{Rates, Running, Settings};
use futures::future::join_all;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

struct Stripe {
    running: Running,
    client: Client,
}

impl Stripe {
    async fn start(settings: Settings) -> Self {
        Self { running: Running::start(settings).await.unwrap(), client: Client::new() }
    }

    fn post(&self, path: &str, key: &str, params: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}/v1/{path}", self.running.url());
        let request = self.client.post(url).bearer_auth("sk_test_1").header("idempotency-key", key);
        let form: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header("content-type", "application/x-www-form-urlencoded").body(form.join("&"))
    }

    fn take(&self, key: &str) -> RequestBuilder {
        let params = [
            ("amount", "1000"),
            ("currency", "usd"),
            ("confirm", "true"),
            ("payment_method", "pm_card_visa"),
            ("payment_method_types[]", "card"),
            ("metadata[key]", key),
        ];
        self.post("payment_intents", key, &params)
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}/{path}", self.running.url())).bearer_auth("sk_test_1");
        read(request).await.1
    }

    async fn control(&self, path: &str, body: Value) {
        let request = self.client.post(format!("{}/_fake/{path}", self.running.url()));
        let request = request.header("content-type", "application/json").body(body.to_string());
        assert_eq!(read(request).await.0, StatusCode::OK, "{path}");
    }

    /// As a client should: the same key again until there is an answer that is kept.
    async fn persist(&self, key: &str) -> StatusCode {
        for _ in 0..50 {
            let Ok(response) = self.take(key).send().await else { continue };
            match response.status() {
                StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {}
                status => return status,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{key} never came through");
    }
}

async fn read(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn rates(text: &str) -> Rates {
    text.parse().unwrap()
}

#[tokio::test]
async fn whatever_goes_wrong_each_key_is_executed_once_at_most() {
    let faults = rates(
        "error_after=0.1,error_instead=0.1,drop_after=0.1,drop_before=0.05,rate_limit=0.05,conflict=0.05",
    );
    let stripe = Stripe::start(Settings { faults, latency_ms_max: 3, ..Settings::default() }).await;
    let keys: Vec<String> = (0..150).map(|number| format!("k{number}")).collect();
    // Everybody comes twice at once.
    let both = keys.iter().chain(&keys).map(|key| stripe.persist(key));
    let answers = join_all(both).await;
    stripe.control("faults", json!({ "rates": {} })).await;
    let ledger = stripe.get("_fake/ledger").await;
    let mut made = HashMap::<&str, usize>::new();
    for payment in ledger["payments"].as_array().unwrap() {
        *made.entry(payment["metadata"]["key"].as_str().unwrap()).or_default() += 1;
        assert_eq!(payment["approved_charges"], 1);
    }
    assert!(made.values().all(|count| *count == 1), "{made:?}");
    for (key, pair) in keys.iter().zip(answers.iter().zip(&answers[keys.len()..])) {
        assert_eq!(pair.0, pair.1, "{key} has one answer");
        assert!(*pair.0 != StatusCode::OK || made.contains_key(key.as_str()), "{key} was said to be done");
    }
    let broken = answers.iter().filter(|status| **status == StatusCode::INTERNAL_SERVER_ERROR).count();
    assert!(broken > 20, "there were faults: {broken}");
    assert!(made.len() > 120 && made.len() < 150, "some 500s stand for nothing: {}", made.len());
    assert_eq!(ledger["problems"], json!([]));
}

#[tokio::test]
async fn a_key_in_flight_is_refused_with_409_until_it_is_answered() {
    let stripe = Stripe::start(Settings { latency_ms_max: 400, ..Settings::default() }).await;
    let answers = join_all((0..8).map(|_| read(stripe.take("k1")))).await;
    let done: Vec<&Value> =
        answers.iter().filter(|(status, _)| status.is_success()).map(|(_, body)| body).collect();
    let refused: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == StatusCode::CONFLICT).map(|(_, body)| body).collect();
    assert_eq!(
        (done.len() + refused.len(), done.is_empty(), refused.is_empty()),
        (8, false, false),
        "{answers:?}"
    );
    assert!(refused.iter().all(|body| body["error"]["code"] == "idempotency_key_in_use"), "{refused:?}");
    assert!(refused.iter().all(|body| body["error"]["type"] == "idempotency_error"), "{refused:?}");
    let (_, again) = read(stripe.take("k1")).await;
    assert_eq!(*done[0], again);
    assert_eq!(stripe.get("v1/payment_intents").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_nothing() {
    let stripe = Stripe::start(Settings { latency_ms_max: 300, ..Settings::default() }).await;
    for number in 0..20 {
        let key = format!("k{number}");
        let hurried = stripe.take(&key).timeout(Duration::from_millis(20)).send().await;
        let again = stripe.persist(&key).await;
        assert_eq!(again, StatusCode::OK, "{hurried:?}");
    }
    let page = stripe.get("v1/payment_intents?limit=100").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn the_same_seed_and_the_same_calls_give_the_same_ids() {
    async fn ids(seed: u64) -> Vec<String> {
        let stripe = Stripe::start(Settings { seed, ..Settings::default() }).await;
        let mut ids = vec![];
        for key in ["a", "b", "c"] {
            let (_, intent) = read(stripe.take(key)).await;
            ids.push(format!("{} {} {}", intent["id"], intent["latest_charge"], intent["client_secret"]));
        }
        ids
    }
    let first = ids(7).await;
    assert_eq!(first, ids(7).await);
    assert_ne!(first, ids(8).await);
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 3);
}

#[tokio::test]
async fn refunds_at_once_never_give_back_more_than_was_taken() {
    let stripe = Stripe::start(Settings::default()).await;
    let (_, intent) = read(stripe.take("k")).await;
    let id = intent["id"].as_str().unwrap();
    let refund = |number: u32| {
        let params = [("payment_intent", id), ("amount", "70")];
        let request = stripe.post("refunds", &format!("r{number}"), &params);
        async { read(request).await.0 }
    };
    let answers = join_all((0..40).map(refund)).await;
    assert_eq!(answers.iter().filter(|status| status.is_success()).count(), 14);
    let payment = &stripe.get("_fake/ledger").await["payments"][0];
    assert_eq!((&payment["refunded"], &payment["captured"]), (&json!(980), &json!(1000)));
}

#[tokio::test]
async fn a_connection_that_is_cut_gives_no_answer_at_all() {
    let stripe = Stripe::start(Settings::default()).await;
    for fault in ["drop_after", "drop_before"] {
        stripe.control("faults", json!({ "next": [{ "fault": fault }] })).await;
        let error = stripe.take(fault).send().await.unwrap_err();
        assert!(error.status().is_none() && !error.is_timeout(), "{error:?}");
    }
    let made = stripe.get("v1/payment_intents").await;
    let keys: Vec<&Value> =
        made["data"].as_array().unwrap().iter().map(|intent| &intent["metadata"]["key"]).collect();
    assert_eq!(keys, ["drop_after"]);
}

/// A file that no other test has.
fn journal(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("fake-stripe-{name}-{}.jsonl", std::process::id()));
    _ = std::fs::remove_file(&path);
    path
}

#[tokio::test]
async fn what_one_was_asked_the_next_one_knows() {
    let journal = journal("known");
    let settings = |seed| Settings { seed, journal: Some(journal.clone()), ..Settings::default() };
    let first = Stripe::start(settings(1)).await;
    let taken = read(first.take("one")).await.1;
    first.control("clock", json!({ "advance_s": 3_600 })).await;
    let late = read(first.take("late")).await.1;
    let (intents, ledger) = (first.get("v1/payment_intents").await, first.get("_fake/ledger").await);
    drop(first);

    let next = Stripe::start(settings(2)).await;
    assert_eq!(next.get("v1/payment_intents").await, intents, "names and times are the same");
    assert_eq!(next.get("_fake/ledger").await, ledger);
    assert_eq!(read(next.take("one")).await.1["id"], taken["id"], "a key gives its first answer");
    let intent = late["id"].as_str().unwrap();
    let refunded = read(next.post("refunds", "back", &[("payment_intent", intent)])).await.1;
    assert_eq!(refunded["status"], "succeeded", "{refunded}");
    drop(next);

    // Killed in the middle of a line.
    let mut text = std::fs::read_to_string(&journal).unwrap();
    text.push_str("{\"at\": 18");
    std::fs::write(&journal, text).unwrap();
    let last = Stripe::start(settings(3)).await;
    assert_eq!(last.get("v1/refunds").await["data"][0]["id"], refunded["id"]);
    read(last.take("after")).await;
    drop(last);
    let again = Stripe::start(settings(4)).await;
    assert_eq!(again.get("v1/payment_intents").await["data"].as_array().unwrap().len(), 3);
    std::fs::remove_file(journal).unwrap();
}
