//! Stripe as somebody else has understood it: the provider against `localstripe`, as far as that goes. It takes any key, knows
//! no transfers, disputes, groups or lists by time, and keeps no idempotency keys.

use chassis::Clock;
use contract::RefundId;
use entity::payments::payment::State;
use payments::provider::{Setup, stripe};
use serde_json::Value;

use super::Sale;
use crate::support::{self, Market, Relays};

/// Where it listens; `.ci/localstripe` says so.
const URL: &str = "SOUK_LOCALSTRIPE_URL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_held_taken_given_back_let_go_or_declined() {
    let Ok(url) = std::env::var(URL) else {
        return support::skip("localstripe", &format!("at {URL}; .ci/localstripe starts one"));
    };
    let store = support::store(chassis::Engine::Sqlite).await.unwrap();
    let setup = Setup::Stripe(stripe::Settings {
        base_url: url.clone(),
        groups: false,
        ..stripe::Settings::new("sk_test_souk".into(), vec!["whsec_souk".into()])
    });
    let market = Market::start_with(&store, Relays::Running, Clock::System.now(), setup).await;
    pays(&market, &url).await;
    leaves(&market, &url).await;
    is_declined(&market).await;
    let books = payments::ledger::verify(&market.env("payments").db).await.unwrap();
    assert!(books.is_right(), "{books}");
    market.stop().await;
    store.remove().await;
}

async fn pays(market: &Market, url: &str) {
    let sale = Sale::with_card(market, "pm_card_visa").await;
    assert_eq!(sale.answers().await, ["authorised"]);
    let reference = sale.row().await.reference.unwrap();
    let held = look(url, &format!("/v1/payment_intents/{reference}")).await;
    assert_eq!((&held["status"], &held["amount"]), (&"requires_capture".into(), &15_000.into()));
    assert_eq!(held["metadata"]["payment_id"], sale.payment.to_string());
    sale.ask(sale.capture()).await;
    assert_eq!(sale.state().await, State::Captured);
    assert_eq!(look(url, &format!("/v1/payment_intents/{reference}")).await["status"], "succeeded");
    for amount_minor in [4_000, 6_000] {
        sale.ask(sale.refund(RefundId::new(), amount_minor, 0, 0)).await;
    }
    assert_eq!(sale.answers().await, ["authorised", "captured", "refunded", "refunded"]);
    let refunds = look(url, &format!("/v1/refunds?payment_intent={reference}")).await;
    let given = refunds["data"].as_array().unwrap().iter().map(|refund| refund["amount"].as_i64().unwrap());
    assert_eq!(given.sum::<i64>(), 10_000);
}

async fn leaves(market: &Market, url: &str) {
    let sale = Sale::with_card(market, "pm_card_visa").await;
    sale.ask(sale.void()).await;
    assert_eq!(sale.answers().await, ["authorised", "voided"]);
    let reference = sale.row().await.reference.unwrap();
    assert_eq!(look(url, &format!("/v1/payment_intents/{reference}")).await["status"], "canceled");
}

async fn is_declined(market: &Market) {
    let sale = Sale::with_card(market, "pm_card_chargeCustomerFail").await;
    assert_eq!((sale.answers().await, sale.state().await), (vec!["declined".to_owned()], State::Declined));
    assert_eq!(sale.said_last().await["code"], "card_declined");
    let nonsense = Sale::with_card(market, "pm_card_nonsense").await;
    assert_eq!(nonsense.answers().await, ["declined"]);
}

async fn look(url: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{url}{path}")).bearer_auth("sk_test_souk");
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}
