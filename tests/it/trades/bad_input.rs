//! Strangers, wrong words and wrong moments: nothing changes.

use super::*;

souk_test! {
    async fn who_has_nothing_to_do_with_a_trade_neither_sees_nor_moves_it(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        let other = market.seller("Other").await;
        let other = Who { user: other.user, roles: &[Role::Buyer, Role::Seller] };
        let stranger = Who::new(&[Role::Buyer]);
        for who in [other, stranger] {
            assert_eq!(case.seen_by(who).await, Value::Null);
            assert_eq!(codes(&case.delivered(who).await), ["NOT_FOUND"]);
        }
        assert_eq!(codes(&case.send(other, "shipTrade", "1").await), ["NOT_FOUND"]);
        assert_eq!(codes(&case.delivered(case.seller).await), ["NOT_FOUND"], "it is the buyer's word");
        let query = format!("mutation {{ shipTrade(input: {{ tradeId: \"{}\", carrier: \"DHL\", tracking: \"1\" }}) {{ userErrors {{ code }} }} }}", case.trade);
        let answer = market.ask("orders", Some(&stranger.person(market)), &query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(case.status().await, "AWAITING_SHIPMENT");
    }

    async fn buyer_and_seller_do_not_learn_of_each_other(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.look_at(true).await;
        case.dispatch().await;
        let (bought, sold) = (case.seen_by(case.buyer).await, case.seen_by(case.seller).await);
        assert_eq!((&bought["side"], &sold["side"]), (&json!("BUYER"), &json!("SELLER")));
        assert_eq!((&bought["seller"], &bought["payout"], &sold["shipTo"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!(bought["price"]["amountMinor"], PRICE);
        let part = |name: &str| sold["payout"][name]["amountMinor"].as_i64().unwrap();
        assert_eq!(part("payout") + part("transactionFee") + part("processingFee"), PRICE);
        let ways = |trade: &Value| trade["parcels"].as_array().unwrap().iter().map(|parcel| parcel["way"].clone()).collect::<Vec<_>>();
        assert_eq!((ways(&bought), ways(&sold)), (vec![json!("TO_BUYER")], vec![json!("TO_CENTRE")]));
        let staff = case.seen_by(case.centre).await;
        assert_eq!((ways(&staff).len(), &staff["side"]), (2, &Value::Null));
        assert_eq!(staff["shipTo"], bought["shipTo"], "the centre must know where to send it");
        assert!(staff["shipTo"]["id"].is_string());
    }

    async fn a_trade_hears_only_what_it_waits_for(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        assert_eq!(codes(&case.receive().await), ["NOT_NOW"], "nothing was sent");
        assert_eq!(codes(&case.claim(case.centre).await), ["NOT_FOUND"], "nothing came");
        assert_eq!(codes(&case.dispatch().await), ["NOT_NOW"]);
        assert_eq!(codes(&case.delivered(case.buyer).await), ["NOT_NOW"]);
        let (one, two) = futures::join!(case.ship(), case.ship());
        assert_eq!((codes(&one), codes(&two)), (vec![], vec![]), "the same parcel twice is one parcel");
        assert_eq!(codes(&case.send(case.seller, "shipTrade", "another").await), ["NOT_NOW"]);
        assert_eq!(codes(&case.dispatch().await), ["NOT_NOW"], "it is not there yet");
        for _ in 0..2 {
            assert_eq!(codes(&case.receive().await), [""; 0]);
        }
        assert_eq!(codes(&case.complete(case.centre, true).await), ["NOT_CLAIMED"]);
        assert_eq!(case.timeline().await, ["matched", "capturing", "awaiting_shipment", "in_transit", "authenticating"]);
    }

    async fn what_cannot_be_written_on_a_parcel_or_into_findings_is_refused(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        for (carrier, tracking, code) in [
            ("", "1", "CARRIER_INVALID"),
            (" ", "1", "CARRIER_INVALID"),
            ("D\u{7}HL", "1", "CARRIER_INVALID"),
            ("DHL", "", "TRACKING_INVALID"),
            ("DHL", "1\n2", "TRACKING_INVALID"),
        ] {
            let input = json!({ "tradeId": case.trade, "carrier": carrier, "tracking": tracking });
            assert_eq!(codes(&case.does(case.seller, "shipTrade", "trade { id }", "", input).await), [code]);
        }
        case.ship().await;
        case.receive().await;
        case.claim(case.centre).await;
        let right = json!({
            "tradeId": case.trade, "verdict": "PASS", "boxRight": true, "markersRight": true, "sizeRight": true,
            "photos": ["https://photos.example.org/1.jpg"],
        });
        for (field, value, code) in [
            ("verdict", json!("FAIL"), "VERDICT_INVALID"),
            ("boxRight", json!(false), "VERDICT_INVALID"),
            ("reason", json!("fine"), "REASON_INVALID"),
            ("photos", json!([]), "PHOTOS_INVALID"),
            ("photos", json!(["javascript:alert(1)"]), "PHOTOS_INVALID"),
        ] {
            let mut input = right.clone();
            input[field] = value;
            let done = case.does(case.centre, "completeAuthenticationTask", "task { state }", "", input).await;
            assert_eq!(codes(&done), [code], "{field}");
        }
        assert_eq!(case.status().await, "AUTHENTICATING");
    }
}
