//! Every way that a match can go, with money, stock, strikes and ledger at its end.

use super::*;

souk_test! {
    async fn a_match_becomes_a_piece_in_its_buyers_hands_and_the_seller_is_paid(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        assert_eq!(case.status().await, "AWAITING_SHIPMENT");
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, 0], [PRICE, 0, 0]));
        assert_eq!(case.stock().await, [5, 1, 4], "promised, and still on the shelf");
        case.ship().await;
        assert_eq!((case.status().await.as_str(), case.stock().await), ("IN_TRANSIT", [4, 0, 4]));
        case.receive().await;
        assert_eq!(case.status().await, "AUTHENTICATING");
        case.claim(case.centre).await;
        case.complete(case.centre, true).await;
        assert_eq!(case.status().await, "AUTHENTICATED");
        case.dispatch().await;
        assert_eq!(case.status().await, "DISPATCHED");
        assert_eq!(case.ledger().await, [PRICE, 0, 0], "nobody is paid before it is delivered");
        case.delivered(case.buyer).await;
        assert_eq!(case.status().await, "COMPLETED");
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, 0], [0, 0, FEES]));
        assert_eq!((case.sent_to_seller().await, PRICE - PAYOUT), (PAYOUT, FEES));
        assert_eq!((case.strikes(case.buyer).await, case.strikes(case.seller).await), (vec![], vec![]));
        assert_eq!(case.told().await, [""; 0]);
        assert_eq!(case.timeline().await, [
            "matched", "capturing", "awaiting_shipment", "in_transit", "authenticating", "claimed", "authentic",
            "dispatched", "releasing", "completed",
        ]);
    }

    async fn a_buyer_confirms_with_their_bank_and_the_trade_goes_on(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, ASKS_BUYER).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!(trade["status"], "NEEDS_ACTION");
        let query = "mutation($input: ConfirmSandboxPaymentInput!) { confirmSandboxPayment(input: $input) { done } }";
        let input = json!({ "input": { "clientSecret": trade["action"]["clientSecret"], "accept": true } });
        market.data("payments", None, query, input).await;
        case.settle().await;
        assert_eq!((case.status().await.as_str(), case.paid().await), ("AWAITING_SHIPMENT", [PRICE, 0]));
        assert!(case.seen_by(case.seller).await["action"].is_null());
    }

    async fn a_declined_card_undoes_the_match_and_strikes_the_buyer(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, DECLINED).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("PAYMENT_FAILED"), &json!("DECLINED")));
        assert_eq!((case.paid().await, case.ledger().await), ([0, 0], [0, 0, 0]));
        assert_eq!(case.strikes(case.buyer).await, ["NOT_PAID"]);
        assert_eq!(case.strikes(case.seller).await, [""; 0]);
        assert_eq!(case.told().await, ["orders.struck", "PaymentFailed"]);
        assert_eq!(case.stock().await, [5, 1, 4], "the piece is promised to the ask, which stands again");
        assert_eq!(codes(&case.ship().await), ["NOT_NOW"]);
    }

    async fn a_buyer_who_does_not_confirm_in_time_is_charged_nothing_and_struck(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, ASKS_BUYER).await;
        case.wait(rules().confirm_within - TimeDelta::seconds(1)).await;
        assert_eq!(case.status().await, "NEEDS_ACTION");
        case.wait(TimeDelta::seconds(1)).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("PAYMENT_FAILED"), &json!("NOT_CONFIRMED")));
        assert_eq!((case.paid().await, case.ledger().await), ([0, 0], [0, 0, 0]));
        assert_eq!(case.strikes(case.buyer).await, ["NOT_PAID"]);
        assert_eq!(case.told().await, ["orders.struck", "PaymentFailed"]);
    }

    async fn a_seller_who_does_not_ship_in_time_owes_the_penalty_and_the_buyer_has_their_money(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.wait(rules().ship_within - TimeDelta::seconds(1)).await;
        assert_eq!(case.status().await, "AWAITING_SHIPMENT");
        case.wait(TimeDelta::seconds(1)).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("REFUNDED"), &json!("NOT_SHIPPED")));
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, PRICE], [0, PENALTY, PENALTY]));
        assert_eq!(case.stock().await, [5, 0, 5], "the piece is back");
        assert_eq!(case.strikes(case.seller).await, ["NOT_SHIPPED"]);
        assert_eq!(case.strikes(case.buyer).await, [""; 0]);
        assert_eq!(case.told().await, ["orders.struck", "NotShipped"]);
        assert_eq!(codes(&case.ship().await), ["NOT_NOW"]);
        assert_eq!(case.timeline().await, ["matched", "capturing", "awaiting_shipment", "refunding", "refunded"]);
    }

    async fn a_parcel_that_never_reaches_the_centre_counts_as_not_shipped_and_goes_back_if_it_does(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.ship().await;
        case.wait(rules().arrive_within).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("REFUNDED"), &json!("NOT_ARRIVED")));
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, PRICE], [0, PENALTY, PENALTY]));
        assert_eq!(case.stock().await, [4, 0, 4], "it was sent");
        assert_eq!(case.strikes(case.seller).await, ["NOT_SHIPPED"]);
        assert_eq!(case.told().await, ["orders.struck", "NotShipped"]);
        assert_eq!(codes(&case.dispatch().await), ["NOT_NOW"], "the centre does not have it");
        assert_eq!(codes(&case.receive().await), [""; 0]);
        assert_eq!(codes(&case.dispatch().await), [""; 0]);
        assert_eq!(case.status().await, "REFUNDED");
        assert_eq!(case.timeline().await[6..], ["arrived_late", "returned"]);
    }

    async fn a_piece_that_is_not_what_it_should_be_goes_back_to_a_seller_who_pays_for_it(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.look_at(false).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("REFUNDED"), &json!("NOT_AUTHENTIC")));
        assert_eq!(trade["authentication"]["reason"], "the seam is glued");
        assert_eq!((case.paid().await, case.ledger().await), ([PRICE, PRICE], [0, PENALTY, PENALTY]));
        assert_eq!(case.strikes(case.seller).await, ["NOT_AUTHENTIC"]);
        assert_eq!(case.told().await, ["orders.struck", "AuthenticationFailed"]);
        for _ in 0..2 {
            assert_eq!(codes(&case.dispatch().await), [""; 0]);
        }
        let parcels = case.seen_by(case.seller).await["parcels"].take();
        let ways: Vec<&str> = parcels.as_array().unwrap().iter().map(|parcel| parcel["way"].as_str().unwrap()).collect();
        assert_eq!(ways, ["TO_CENTRE", "TO_SELLER"]);
        assert_eq!(case.stock().await, [4, 0, 4], "what is not right is not sold again by itself");
    }

    async fn a_parcel_to_the_buyer_that_nobody_speaks_of_is_delivered_after_two_weeks(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.look_at(true).await;
        case.dispatch().await;
        case.wait(rules().delivered_after - TimeDelta::seconds(1)).await;
        assert_eq!((case.status().await.as_str(), case.sent_to_seller().await), ("DISPATCHED", 0));
        market.clock.advance(TimeDelta::seconds(1));
        let (env, rules) = (market.env("orders"), rules());
        let (one, two) = futures::join!(sweep(env, &rules), sweep(env, &rules));
        assert_eq!(one.unwrap() + two.unwrap(), 1, "two sweep, one moves it");
        case.settle().await;
        assert_eq!((case.status().await.as_str(), case.sent_to_seller().await), ("COMPLETED", PAYOUT));
        assert_eq!(case.ledger().await, [0, 0, FEES]);
        assert_eq!(codes(&case.delivered(case.buyer).await), [""; 0], "it is");
    }
}
