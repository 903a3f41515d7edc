//! What buyers, sellers and operators see of money.

use chrono::TimeDelta;
use contract::{Event, PayoutId, RefundId};
use entity::payments::payment::State;
use entity::shared::audit_event;
use payments::provider::sandbox::Faults;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{Sale, faults};
use crate::support::{Market, Person};

const PAYMENT: &str = "query($id: ID!) { payment(id: $id) { state sandbox provider amount { amountMinor } captured { decimal }
    refunded { decimal } problem { code } redirectUrl clientSecret attention refunds { amount { amountMinor } state } } }";

async fn payment(market: &Market, by: Option<&Person>, sale: &Sale<'_>) -> Value {
    market.ask("payments", by, PAYMENT, json!({ "id": sale.payment })).await
}

/// A sale to this buyer.
async fn sold<'m>(market: &'m Market, buyer: &Person, method: &str) -> Sale<'m> {
    let sale = Sale::new(market);
    let Event::AuthorisePayment(mut ask) = sale.authorise(method) else { unreachable!() };
    ask.user_id = Some(buyer.user);
    sale.ask(ask.into()).await;
    sale
}

async fn does(market: &Market, by: Option<&Person>, mutation: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let shown = if mutation.contains("Sandbox") { "done" } else { "payment { id attention }" };
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"
    );
    market.ask("payments", by, &query, json!({ "input": input })).await
}

souk_test! {
    async fn a_buyer_sees_their_payment_and_nobody_else_does(market: &Market) {
        let (buyer, other) = (market.buyer(), market.buyer());
        let sale = sold(market, &buyer, "pm_card_visa").await;
        sale.ask(sale.capture()).await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        let seen = payment(market, Some(&buyer), &sale).await;
        let seen = &seen["data"]["payment"];
        assert_eq!((&seen["state"], &seen["sandbox"]), (&json!("PARTLY_REFUNDED"), &json!(true)));
        assert_eq!((&seen["captured"]["decimal"], &seen["refunded"]["decimal"]), (&json!("150.00"), &json!("40.00")));
        assert_eq!(seen["refunds"], json!([{ "amount": { "amountMinor": 4_000 }, "state": "SUCCEEDED" }]));
        assert_eq!(payment(market, Some(&market.admin()), &sale).await["data"]["payment"]["state"], "PARTLY_REFUNDED");
        assert_eq!(payment(market, Some(&other), &sale).await["data"]["payment"], Value::Null);
        let nobody = payment(market, None, &sale).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn an_order_joins_its_payment_for_those_who_may_see_it(market: &Market) {
        let (buyer, other) = (market.buyer(), market.buyer());
        let (sale, guest) = (sold(market, &buyer, "pm_card_visa").await, Sale::with_card(market, "pm_card_visa").await);
        let query = "query($o: [_Any!]!) { _entities(representations: $o) { ... on Order { payment { state } } } }";
        let orders = json!({ "o": [
            { "__typename": "Order", "id": sale.order },
            { "__typename": "Order", "id": guest.order },
            { "__typename": "Order", "id": contract::OrderId::new() },
        ] });
        let state = |data: &Value| ["0", "1", "2"].map(|at| data["_entities"][at.parse::<usize>().unwrap()]["payment"]["state"].clone());
        let held = json!("AUTHORISED");
        let seen = market.data("payments", Some(&buyer), query, orders.clone()).await;
        assert_eq!(state(&seen), [held.clone(), held.clone(), Value::Null]);
        let seen = market.data("payments", Some(&other), query, orders).await;
        assert_eq!(state(&seen), [Value::Null, held, Value::Null]);
    }

    async fn a_buyer_confirms_with_their_bank_or_refuses(market: &Market) {
        let buyer = market.buyer();
        for (accept, state, code) in [(true, State::Authorised, Value::Null), (false, State::Declined, json!("authentication_failed"))] {
            let sale = sold(market, &buyer, "pm_card_threeDSecure2Required").await;
            assert_eq!(sale.answers().await, ["needs_action"]);
            let seen = payment(market, Some(&buyer), &sale).await;
            let secret = seen["data"]["payment"]["clientSecret"].as_str().unwrap().to_owned();
            assert_eq!(seen["data"]["payment"]["redirectUrl"], format!("/provider/sandbox/confirm/{secret}"));
            let guessed = format!("{}x", &secret[..secret.len() - 1]);
            for (given, done) in [(guessed.as_str(), false), (&secret, true), (&secret, false)] {
                let input = json!({ "clientSecret": given, "accept": accept });
                let answer = does(market, None, "confirmSandboxPayment", input).await;
                assert_eq!(answer["data"]["confirmSandboxPayment"]["done"], done, "{answer}");
            }
            market.settle().await;
            assert_eq!(sale.state().await, state);
            let seen = payment(market, Some(&buyer), &sale).await;
            assert_eq!(seen["data"]["payment"]["problem"]["code"], code);
            assert_eq!(seen["data"]["payment"]["clientSecret"], Value::Null, "there is nothing to confirm any more");
        }
    }

    async fn a_seller_sees_their_balance_entries_and_statement(market: &Market) {
        let seller = market.seller("Shop").await;
        let mut sale = Sale::new(market);
        sale.sellers[0] = seller.seller.unwrap();
        sale.ask(sale.authorise("pm_card_visa")).await;
        sale.ask(sale.capture()).await;
        let query = "query($from: DateTime!, $until: DateTime!, $seller: ID) {
            sellerBalance(sellerId: $seller) { seller { id } currencies { currency held { amountMinor } payable { amountMinor } } }
            ledgerEntries(sellerId: $seller, first: 2) { edges { node { reason from to amount { decimal } orderId } } pageInfo { hasNextPage } }
            sellerStatement(sellerId: $seller, from: $from, until: $until) }";
        let span = |seller: Value| json!({ "from": "2027-01-01T00:00:00Z", "until": "2028-01-01T00:00:00Z", "seller": seller });
        let seen = market.data("payments", Some(&seller), query, span(Value::Null)).await;
        let currency = &seen["sellerBalance"]["currencies"][0];
        assert_eq!((&currency["currency"], &currency["held"]["amountMinor"]), (&json!("EUR"), &json!(10_000)));
        assert_eq!(seen["ledgerEntries"]["edges"], json!([{ "node": {
            "reason": "CAPTURE", "from": "CLEARING", "to": "HELD", "amount": { "decimal": "100.00" }, "orderId": sale.order,
        } }]));
        sale.ask(sale.release(PayoutId::new(), sale.sellers[0])).await;
        let seen = market.data("payments", Some(&market.admin()), query, span(json!(seller.seller))).await;
        assert_eq!(seen["ledgerEntries"]["pageInfo"]["hasNextPage"], true);
        let statement = seen["sellerStatement"].as_str().unwrap();
        let reasons: Vec<&str> = statement.lines().map(|line| line.split(',').nth(2).unwrap()).collect();
        assert_eq!(reasons, ["reason", "capture", "fee", "tax", "release", "payout", "payout_paid"]);

        let other = market.seller("Other").await;
        let seen = market.data("payments", Some(&other), query, span(json!(seller.seller))).await;
        assert_eq!(seen, json!({ "sellerBalance": null, "ledgerEntries": null, "sellerStatement": null }));
        let buyer = market.ask("payments", Some(&market.buyer()), query, span(Value::Null)).await;
        assert_eq!(buyer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }

    async fn an_operator_sees_what_is_stuck_and_tries_it_again(market: &Market) {
        let admin = market.admin();
        let sale = Sale::paid(market, "pm_card_visa").await;
        faults(market, Faults { lost: 1_000, ..Faults::default() }).await;
        sale.ask(sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        faults(market, Faults::default()).await;
        market.clock.advance(TimeDelta::hours(24));
        market.settle().await;
        let admin = Person { token: market.minter.token(admin.user, &[chassis::auth::Role::Admin], market.clock.now()), ..admin };
        let stuck = "{ paymentsNeedingAttention { edges { node { id attention } } } }";
        let seen = market.data("payments", Some(&admin), stuck, json!({})).await;
        assert_eq!(seen["paymentsNeedingAttention"]["edges"][0]["node"]["id"], json!(sale.payment));
        let done = does(market, Some(&admin), "retryPayment", json!({ "paymentId": sale.payment })).await;
        assert_eq!(done["data"]["retryPayment"]["payment"]["attention"], Value::Null, "{done}");
        for _ in 0..3 {
            market.settle().await;
            market.clock.advance(TimeDelta::seconds(61));
        }
        market.settle().await;
        assert_eq!(sale.answers().await.last().unwrap(), "refunded", "it is proven not to be done, and done now");
    }

    async fn operators_only_act_as_admins_and_on_payments_there_are(market: &Market) {
        let sale = Sale::with_card(market, "pm_card_visa").await;
        let (admin, buyer) = (market.admin(), market.buyer());
        for (mutation, more) in [
            ("retryPayment", json!({})),
            ("reconcilePayment", json!({})),
            ("dismissPaymentAttention", json!({ "reason": "seen to" })),
        ] {
            let input = |id: contract::PaymentId| {
                let mut input = more.clone();
                input["paymentId"] = json!(id);
                input
            };
            let denied = does(market, Some(&buyer), mutation, input(sale.payment)).await;
            assert_eq!(denied["errors"][0]["extensions"]["code"], "FORBIDDEN", "{mutation}");
            let unknown = does(market, Some(&admin), mutation, input(contract::PaymentId::new())).await;
            assert_eq!(unknown["data"][mutation]["userErrors"][0]["code"], "NOT_FOUND", "{mutation}");
            let done = does(market, Some(&admin), mutation, input(sale.payment)).await;
            assert_eq!(done["data"][mutation]["payment"]["id"], json!(sale.payment), "{mutation}: {done}");
        }
        market.settle().await;
        let db = market.env("payments").db.read();
        let trail = audit_event::Entity::find().all(db).await.unwrap();
        let actions: Vec<&str> = trail.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["payment.retry_after_reconcile", "payment.reconcile", "payment.dismiss"], "each is audited");
    }
}
