//! What operators see and do.

use payments::provider::sandbox::{Faults, misbehave};

use super::*;

async fn act(case: &Case<'_>, action: &str) -> Value {
    let admin = Who::new(&[Role::Buyer, Role::Admin]);
    let input =
        json!({ "tradeId": case.trade, "action": action, "reason": "seen in the provider's console" });
    case.does(admin, "actOnTrade", "saga { state failure }", "", input).await
}

/// Sagas that need an operator.
async fn stuck(market: &Market) -> Vec<String> {
    let query = "{ tradeSagas { edges { node { state trade { id } steps { kind actor details } } } } }";
    let data = market.data("orders", Some(&market.admin()), query, json!({})).await;
    let edges = data["tradeSagas"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["state"].as_str().unwrap().to_owned()).collect()
}

/// What the provider does from now on: nothing, or what it should.
async fn provider(market: &Market, answers: bool) {
    let faults = Faults { lost: if answers { 0 } else { 1_000 }, ..Faults::default() };
    misbehave(market.env("payments"), &faults).await.unwrap();
}

souk_test! {
    async fn a_provider_that_never_answers_undoes_the_match_and_nobody_is_to_blame(market: &Market) {
        let (shop, offer) = stocked(market).await;
        provider(market, false).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        assert_eq!(case.status().await, "PAYING");
        for _ in 0..22 {
            market.clock.advance(TimeDelta::seconds(61));
            sweep(market.env("orders"), &rules()).await.unwrap();
            market.settle().await;
        }
        assert_eq!(case.status().await, "CANCELLING");
        provider(market, true).await;
        for _ in 0..3 {
            case.wait(TimeDelta::seconds(61)).await;
        }
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("PAYMENT_FAILED"), &json!("TIMED_OUT")));
        assert_eq!((case.paid().await, case.ledger().await), ([0, 0], [0, 0, 0]));
        assert_eq!(case.strikes(case.buyer).await, [""; 0]);
        assert_eq!(case.told().await, ["PaymentFailed"]);
    }

    async fn staff_undo_a_match_and_it_costs_nobody_anything(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        assert_eq!(act(&case, "UNDO").await["saga"]["failure"], "UNDONE");
        assert_eq!(case.status().await, "REFUNDED");
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, PRICE], [0, 0, 0]));
        assert_eq!((case.strikes(case.seller).await, case.stock().await), (vec![], [5, 0, 5]));
        assert_eq!(case.told().await, ["Undone"]);
        assert_eq!(codes(&act(&case, "UNDO").await), ["NOT_NOW"]);
        let trail = chassis::audit::first_broken(market.env("orders").db.read()).await.unwrap();
        assert_eq!(trail, None);
    }

    async fn an_operator_sees_what_is_stuck_and_moves_it(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        let set = "update trade set state = 'stuck_capturing', next_run_at = null";
        sea_orm::ConnectionTrait::execute_unprepared(market.env("orders").db.write(), set).await.unwrap();
        assert_eq!((stuck(market).await, case.status().await.as_str()), (vec!["STUCK_CAPTURING".to_owned()], "PAYING"));
        assert_eq!(act(&case, "RETRY").await["saga"]["state"], "CAPTURING");
        assert_eq!((stuck(market).await, case.status().await.as_str()), (vec![], "AWAITING_SHIPMENT"));
        assert_eq!(case.paid().await, [PRICE, 0], "taken once");
        assert_eq!(codes(&act(&case, "SKIP").await), ["NOT_NOW"]);
        let seen = market.ask("orders", Some(&market.buyer()), "{ tradeSagas { edges { node { state } } } }", json!({})).await;
        assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}
