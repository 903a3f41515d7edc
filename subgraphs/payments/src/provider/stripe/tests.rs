//! What is read of answers in the shapes that Stripe documents, with what we do not look at left in.

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use contract::{CurrencyCode, Money, PaymentId};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::client::{Got, Head, Not, judge};
use super::form::Form;
use super::read::{failure, standing};
use super::shape::{Dispute, Intent, List, Refund, Transfer, ours};
use super::{Settings, money, webhook};
use crate::provider::{RemoteStanding, Standing, Why};
use crate::webhook::{Untrusted, sign};

fn intent(status: &str, more: Value) -> Intent {
    let mut intent = json!({
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
        "object": "payment_intent",
        "amount": 2000,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "automatic_payment_methods": null,
        "capture_method": "manual",
        "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH",
        "created": 1680800504,
        "currency": "eur",
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": { "payment_id": "pay_01h2xcejqtf2nbrexx3vqjhp41" },
        "next_action": null,
        "status": status,
        "a_field_of_tomorrow": [1, { "two": 3 }],
    });
    for (name, value) in more.as_object().unwrap() {
        intent[name] = value.clone();
    }
    serde_json::from_value(intent).unwrap()
}

fn charge() -> Value {
    json!({
        "id": "ch_3MtwBwLkdIwHu7ix2abcdefg",
        "object": "charge",
        "amount": 2000,
        "amount_captured": 2000,
        "balance_transaction": { "id": "txn_1", "object": "balance_transaction", "fee": 55, "currency": "eur", "net": 1945 },
        "payment_method_details": { "card": { "brand": "visa", "capture_before": 1681405304 }, "type": "card" },
    })
}

#[test]
fn a_status_says_where_an_intent_stands() {
    let until = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
    let held = |seconds| RemoteStanding::Hold(Standing::Held { until: until(seconds) });
    let secret = Some("pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH".to_owned());
    let action = |redirect_url| {
        RemoteStanding::Hold(Standing::NeedsAction { redirect_url, client_secret: secret.clone() })
    };
    let redirect = json!({ "type": "redirect_to_url", "redirect_to_url": { "url": "https://bank", "return_url": null } });
    let sdk = json!({ "type": "use_stripe_sdk", "use_stripe_sdk": { "type": "three_d_secure_redirect" } });
    let error = json!({ "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.", "charge": "ch_1" });
    let table = [
        ("requires_capture", json!({ "latest_charge": charge() }), held(1_681_405_304)),
        ("requires_capture", json!({ "latest_charge": "ch_1" }), held(1_680_800_504 + 7 * 86_400)),
        ("requires_action", json!({ "next_action": redirect }), action(Some("https://bank".into()))),
        ("requires_action", json!({ "next_action": sdk }), action(None)),
        ("canceled", json!({}), RemoteStanding::Cancelled),
        ("processing", json!({}), RemoteStanding::Pending),
        ("a_status_of_tomorrow", json!({}), RemoteStanding::Pending),
        (
            "requires_payment_method",
            json!({ "last_payment_error": error }),
            RemoteStanding::Declined(Why::new("insufficient_funds", "Your card has insufficient funds.")),
        ),
        (
            "requires_payment_method",
            json!({}),
            RemoteStanding::Declined(Why::new("card_declined", "the payment was declined")),
        ),
    ];
    for (status, more, expected) in table {
        assert_eq!(standing(&intent(status, more)), expected, "{status}");
    }
}

#[test]
fn what_was_taken_is_told_with_its_charge_and_the_fee_in_its_currency() {
    let told = |more| match standing(&intent("succeeded", more)) {
        RemoteStanding::Captured(captured) => (captured.charge, captured.amount_minor, captured.fee_minor),
        other => panic!("{other:?}"),
    };
    let id = "ch_3MtwBwLkdIwHu7ix2abcdefg".to_owned();
    let mut other_currency = charge();
    other_currency["balance_transaction"]["currency"] = json!("usd");
    let mut unsettled = charge();
    unsettled["balance_transaction"] = Value::Null;
    assert_eq!(told(json!({ "latest_charge": charge(), "amount_received": 1500 })), (id.clone(), 1500, 55));
    assert_eq!(told(json!({ "latest_charge": charge() })), (id.clone(), 2000, 55));
    assert_eq!(told(json!({ "latest_charge": other_currency })), (id.clone(), 2000, 0));
    assert_eq!(told(json!({ "latest_charge": unsettled })), (id, 2000, 0));
    assert_eq!(told(json!({ "latest_charge": "ch_1" })), ("ch_1".into(), 2000, 0));
}

fn answer(status: u16, body: &Value) -> Got<Intent> {
    let head = Head { status, request_id: Some("req_123".into()), retry_after: Some(TimeDelta::seconds(3)) };
    judge("/v1/payment_intents", &head, body.to_string().as_bytes())
}

#[test]
fn each_answer_is_one_of_the_five_outcomes() {
    let problem =
        |kind: &str, code: &str| json!({ "error": { "type": kind, "code": code, "message": "said" } });
    let declined = json!({ "error": { "type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
        "message": "Your card was declined.", "payment_intent": { "id": "pi_1" } } });
    assert_eq!(
        answer(402, &declined).unwrap_err(),
        Not::Declined(Why::new("card_declined", "Your card was declined."))
    );
    let cannot = |code: &str| Not::Rejected(Why::new(code, "the payment cannot be processed"));
    let bad = problem("invalid_request_error", "resource_missing");
    for status in [400, 404] {
        assert_eq!(
            answer(status, &bad).unwrap_err(),
            cannot("resource_missing"),
            "what Stripe says is not for buyers"
        );
    }
    assert_eq!(
        answer(429, &json!({})).unwrap_err(),
        Not::RateLimited { retry_after: Some(TimeDelta::seconds(3)) }
    );
    let kept = |status, body: &Value| match answer(status, body).unwrap_err() {
        Not::Unknown { kept, error } => {
            assert!(error.contains("req_123"), "{error}");
            kept
        }
        other => panic!("{status}: {other:?}"),
    };
    assert!(kept(500, &problem("api_error", "")));
    assert!(kept(400, &problem("idempotency_error", "")), "what came first may have been done");
    assert!(kept(200, &json!("nonsense")));
    for status in [401, 403, 409, 502, 503, 504] {
        assert!(!kept(status, &json!("<html>")), "{status}");
    }
    assert!(matches!(answer(500, &json!("not JSON of theirs")), Err(Not::Unknown { kept: true, .. })));
}

#[test]
fn what_is_not_set_is_not_sent() {
    let form = money(Money { amount_minor: 1_250, currency: CurrencyCode::EUR })
        .set("metadata[order_id]", "ord_1 & more")
        .maybe("return_url", None::<&str>)
        .maybe("transfer_group", Some("pay_1"));
    assert_eq!(
        form.encoded(),
        "amount=1250&currency=eur&metadata%5Border_id%5D=ord_1+%26+more&transfer_group=pay_1"
    );
    assert_eq!(Form::new().encoded(), "");
}

#[test]
fn refunds_count_as_given_until_they_fail() {
    let refund = |status: Value, more: Value| -> Refund {
        let mut refund = json!({ "id": "re_1", "object": "refund", "amount": 1000, "currency": "eur", "status": status,
            "metadata": { "refund_id": "ref_1", "key": "k" }, "destination_details": { "type": "card" } });
        for (name, value) in more.as_object().unwrap() {
            refund[name] = value.clone();
        }
        serde_json::from_value(refund).unwrap()
    };
    for status in [json!("succeeded"), json!("pending"), json!("requires_action"), Value::Null] {
        assert_eq!(failure(&refund(status, json!({}))), None);
    }
    let failed = failure(&refund(json!("failed"), json!({ "failure_reason": "lost_or_stolen_card" })));
    assert_eq!(failed.unwrap().code, "lost_or_stolen_card");
    assert_eq!(failure(&refund(json!("canceled"), json!({}))).unwrap().code, "refund_cancelled");
}

#[test]
fn lists_are_read_with_what_they_hold() {
    let transfers: List<Transfer> = serde_json::from_value(json!({
        "object": "list", "url": "/v1/transfers", "has_more": false,
        "data": [{ "id": "tr_1", "object": "transfer", "amount": 400, "amount_reversed": 0, "metadata": {},
            "reversals": { "object": "list", "data": [{ "id": "trr_1", "amount": 100, "metadata": { "step_id": "x" } }],
                "has_more": true, "total_count": 12 } }],
    }))
    .unwrap();
    let reversals = transfers.data[0].reversals.as_ref().unwrap();
    assert!(!transfers.has_more && reversals.has_more);
    assert_eq!(ours::<String>(&reversals.data[0].metadata, "step_id").as_deref(), Some("x"));
    let dispute: Dispute = serde_json::from_value(json!({
        "id": "dp_1", "amount": 1000, "status": "warning_needs_response", "reason": "fraudulent",
        "balance_transactions": [], "evidence": {}, "is_charge_refundable": true,
    }))
    .unwrap();
    assert_eq!(dispute.status, "warning_needs_response");
}

#[test]
fn an_event_is_trusted_by_its_signature_and_kept_without_what_is_personal() {
    let now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).unwrap();
    let payment_id = PaymentId::new();
    let event = |object: Value| {
        json!({ "id": "evt_1", "object": "event", "api_version": "2020-08-27", "created": 1_800_000_000,
            "type": "charge.refunded", "livemode": false, "data": { "object": object, "previous_attributes": {} } })
        .to_string()
    };
    let charge = event(
        json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1", "status": "succeeded",
        "metadata": { "payment_id": payment_id }, "billing_details": { "name": "Ada", "email": "ada@example.org" } }),
    );
    let secrets: Vec<SecretString> = vec!["whsec_new".into(), "whsec_old".into()];
    let told = |body: &str, secret: &[u8], at: DateTime<Utc>| {
        let mut headers = HeaderMap::new();
        headers.insert("stripe-signature", sign(body.as_bytes(), secret, at).parse().unwrap());
        webhook::hint(&secrets, &headers, body.as_bytes(), now)
    };
    for secret in [b"whsec_new", b"whsec_old"] {
        let hint = told(&charge, secret, now).unwrap();
        assert_eq!((hint.event_id.as_str(), hint.kind.as_str()), ("evt_1", "charge.refunded"));
        assert_eq!((hint.payment_id, hint.reference.as_deref()), (Some(payment_id), Some("pi_1")));
        assert!(!hint.body.contains("Ada") && hint.body.contains("ch_1"), "{}", hint.body);
    }
    let own =
        told(&event(json!({ "id": "pi_2", "object": "payment_intent", "metadata": {} })), b"whsec_new", now);
    assert_eq!(own.unwrap().reference.as_deref(), Some("pi_2"));
    let balance = told(&event(json!({ "object": "balance" })), b"whsec_new", now).unwrap();
    assert_eq!((balance.payment_id, balance.reference), (None, None));
    assert_eq!(told(&charge, b"whsec_bad", now), Err(Untrusted::Forged));
    assert_eq!(told(&charge, b"whsec_new", now - TimeDelta::seconds(301)), Err(Untrusted::Stale));
    assert_eq!(told(&charge, b"whsec_new", now + TimeDelta::seconds(301)), Err(Untrusted::Stale));
    assert_eq!(told("{}", b"whsec_new", now), Err(Untrusted::Unreadable));
    assert_eq!(webhook::hint(&secrets, &HeaderMap::new(), b"{}", now), Err(Untrusted::Unsigned));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", Settings::new("sk_live_1".into(), vec!["whsec_1".into()]));
    assert!(!shown.contains("sk_live_1") && !shown.contains("whsec_1"), "{shown}");
}
