//! What happens at Stripe without us: in its dashboard, at buyers' banks, on the way of webhooks.

use chrono::TimeDelta;
use contract::{PaymentId, RefundId};
use entity::payments::difference::{self, Kind};
use entity::payments::payment::State;
use entity::payments::refund;
use payments::ledger::Account;
use payments::reconcile::{Heard, gather, give_up_orphans};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{Bank, stripe_test};
use crate::payments::Sale;

/// A hold at Stripe with our mark, of which we may know nothing.
async fn hold(bank: &Bank, payment: PaymentId) -> String {
    let form = format!(
        "amount=900&currency=eur&confirm=true&capture_method=manual&payment_method=pm_card_visa\
         &payment_method_types[]=card&metadata[payment_id]={payment}"
    );
    bank.post("/v1/payment_intents", &form).await["id"].as_str().unwrap().to_owned()
}

async fn status(bank: &Bank, intent: &str) -> Value {
    bank.get(&format!("/v1/payment_intents/{intent}")).await["status"].clone()
}

async fn orphans(bank: &Bank) -> usize {
    let found = give_up_orphans(bank.market.env("payments"), &bank.market.courier()).await.unwrap();
    bank.settle().await;
    found
}

async fn retry(bank: &Bank, sale: &Sale<'_>) {
    let query =
        "mutation($input: RetryPaymentInput!) { retryPayment(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "paymentId": sale.payment } });
    let done = bank.market.data("payments", Some(&bank.market.admin()), query, input).await;
    assert_eq!(done["retryPayment"]["userErrors"], json!([]));
    bank.settle().await;
}

stripe_test! {
    async fn a_hold_that_belongs_to_nothing_is_given_up_and_no_other(bank: &Bank) {
        let sale = bank.sale("pm_card_visa").await;
        let own = sale.row().await.reference.unwrap();
        let (stray, double) = (hold(bank, PaymentId::new()).await, hold(bank, sale.payment).await);
        assert_eq!(orphans(bank).await, 0, "what is young may still be on its way to us");
        bank.pass(TimeDelta::hours(2)).await;
        assert_eq!(orphans(bank).await, 2);
        assert_eq!([status(bank, &stray).await, status(bank, &double).await], ["canceled", "canceled"]);
        assert_eq!(status(bank, &own).await, "requires_capture");
        assert_eq!(orphans(bank).await, 0);
        let rows = difference::Entity::find().all(bank.market.env("payments").db.read()).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.kind == Kind::OrphanHold && row.resolved_at.is_some()), "{rows:?}");
    }

    async fn money_that_somebody_gives_back_at_stripe_is_booked_once(bank: &Bank) {
        let sale = bank.paid("pm_card_visa").await;
        let intent = sale.row().await.reference.unwrap();
        bank.post("/v1/refunds", &format!("payment_intent={intent}&amount=3000")).await;
        bank.settle().await;
        assert_eq!((sale.state().await, sale.row().await.refunded_minor), (State::PartlyRefunded, 3_000));
        assert_eq!(sale.answers().await, ["authorised", "captured", "refunded"]);
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [8_000, 4_000], "in proportion");
        assert!(sale.row().await.attention.is_some(), "an operator is told");
        let events = bank.get("/v1/events?limit=100").await;
        for event in events["data"].as_array().unwrap() {
            bank.control(&format!("events/{}/send", event["id"].as_str().unwrap()), json!({})).await;
        }
        bank.settle().await;
        assert_eq!(sale.row().await.refunded_minor, 3_000);
        bank.agrees().await;
    }

    async fn a_refund_that_comes_back_later_is_owed_to_the_buyer_until_it_is_sent_again(bank: &Bank) {
        let sale = bank.paid("pm_card_visa").await;
        bank.asks(&sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        let row = refund::Entity::find().one(bank.market.env("payments").db.read()).await.unwrap().unwrap();
        for _ in 0..2 {
            bank.control(&format!("refunds/{}/fail", row.reference.as_deref().unwrap()), json!({})).await;
            bank.settle().await;
        }
        assert_eq!([sale.balance(Account::Returned).await, sale.row().await.refunded_minor], [4_000, 0]);
        assert_eq!(sale.balance(sale.held(0)).await, 6_000, "it is not the seller's again");
        bank.agrees().await;
        retry(bank, &sale).await;
        for _ in 0..3 {
            bank.pass(TimeDelta::seconds(61)).await;
            bank.settle().await;
        }
        assert_eq!([sale.balance(Account::Returned).await, sale.row().await.refunded_minor], [0, 4_000]);
        bank.agrees().await;
    }

    async fn what_no_webhook_told_is_listed(bank: &Bank) {
        let sale = bank.sale("pm_card_threeDSecure2Required").await;
        bank.control("webhooks", json!({ "held": true })).await;
        let url = sale.said_last().await["redirect_url"].as_str().unwrap().to_owned();
        bank.press(&url, "complete").await;
        bank.market.settle().await;
        assert_eq!(sale.answers().await, ["needs_action"], "nobody told us");
        let (env, courier) = (bank.market.env("payments"), bank.market.courier());
        let (news, heard) = (std::sync::Arc::default(), Heard::default());
        assert!(gather(env, &courier, &news, &heard).await.unwrap() > 0);
        bank.market.settle().await;
        assert_eq!(sale.answers().await, ["needs_action", "authorised"]);
        assert_eq!(gather(env, &courier, &news, &heard).await.unwrap(), 0, "each event is taken once");
        bank.control("webhooks", json!({ "held": false })).await;
        bank.settle().await;
        assert_eq!(sale.answers().await, ["needs_action", "authorised"], "late ones tell nothing new");
    }

    async fn webhooks_that_come_doubled_late_and_shuffled_change_nothing_wrongly(bank: &Bank) {
        bank.control("webhooks", json!({ "doubled": 1.0, "late_ms_max": 40 })).await;
        let disputed = bank.sale("pm_card_createDispute").await;
        bank.asks(&disputed, disputed.capture()).await;
        bank.decide(&disputed, false).await;
        let refunded = bank.paid("pm_card_visa").await;
        for amount_minor in [1_000, 2_000, 3_000] {
            bank.asks(&refunded, refunded.refund(RefundId::new(), amount_minor, 0, 0)).await;
        }
        let answers = disputed.answers().await;
        assert_eq!(answers, ["authorised", "captured", "dispute_changed", "dispute_changed"]);
        let refunds = refunded.answers().await.into_iter().filter(|said| said == "refunded").count();
        assert_eq!((refunds, refunded.row().await.refunded_minor), (3, 6_000));
        bank.agrees().await;
    }
}
