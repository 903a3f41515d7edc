//! Trades as they go: buyer and seller see each step, and nobody else does.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::*;

/// How long a step may take to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

/// What `who` sees of the trade after `since`.
fn follow(case: &Case<'_>, who: Who, since: Option<i64>) -> BoxStream<'static, Value> {
    let query = "subscription($id: ID!, $after: Long) { tradeUpdated(id: $id, after: $after) { sequence event { kind sequence } \
        trade { id status side seller { id } payout { payout { amountMinor } } parcels { way } shipTo { id } } } }";
    let variables = json!({ "id": case.trade, "after": since });
    case.market.subscribe("orders", Some(&who.person(case.market)), query, variables)
}

async fn next(steps: &mut BoxStream<'static, Value>) -> Option<Value> {
    let step = tokio::time::timeout(SEEN_WITHIN, steps.next()).await.expect("a step is seen")?;
    assert!(step["errors"].is_null(), "{step}");
    let step = step["data"]["tradeUpdated"].clone();
    assert_eq!(step["sequence"], step["event"]["sequence"], "{step}");
    Some(step)
}

/// The steps up to one of this kind, and the trade as it was after it.
async fn until(steps: &mut BoxStream<'static, Value>, kind: &str) -> (Vec<(i64, String)>, Value) {
    let mut seen = vec![];
    loop {
        let step = next(steps).await.expect("whoever may see a trade goes on seeing it");
        seen.push((step["sequence"].as_i64().unwrap(), step["event"]["kind"].as_str().unwrap().to_owned()));
        if step["event"]["kind"] == kind {
            return (seen, step["trade"].clone());
        }
    }
}

fn kinds(seen: &[(i64, String)]) -> Vec<&str> {
    seen.iter().map(|(_, kind)| kind.as_str()).collect()
}

souk_test! {
    async fn buyer_and_seller_see_every_step_from_the_match_to_the_money(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        let mut both = [follow(&case, case.buyer, None), follow(&case, case.seller, None)];
        for steps in &mut both {
            let (seen, trade) = until(steps, "awaiting_shipment").await;
            assert_eq!(kinds(&seen), ["matched", "capturing", "awaiting_shipment"]);
            assert_eq!(trade["status"], "AWAITING_SHIPMENT");
        }
        case.ship().await;
        for steps in &mut both {
            let (seen, trade) = until(steps, "in_transit").await;
            assert_eq!((seen, &trade["status"]), (vec![(4, "in_transit".to_owned())], &json!("IN_TRANSIT")));
        }
        case.receive().await;
        case.claim(case.centre).await;
        case.complete(case.centre, true).await;
        case.dispatch().await;
        case.delivered(case.buyer).await;
        let mut ends = vec![];
        for steps in &mut both {
            let (seen, trade) = until(steps, "completed").await;
            assert_eq!(kinds(&seen), case.timeline().await[4..]);
            assert_eq!(seen.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), (5..=10).collect::<Vec<_>>());
            ends.push(trade);
        }
        let ways = |trade: &Value| trade["parcels"].as_array().unwrap().iter().map(|parcel| parcel["way"].clone()).collect::<Vec<_>>();
        let [bought, sold] = &ends[..] else { panic!("{ends:?}") };
        assert_eq!((&bought["side"], &sold["side"]), (&json!("BUYER"), &json!("SELLER")));
        assert_eq!((&bought["status"], &sold["status"]), (&json!("COMPLETED"), &json!("COMPLETED")));
        assert_eq!((&bought["seller"], &bought["payout"], &sold["shipTo"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!((ways(bought), ways(sold)), (vec![json!("TO_BUYER")], vec![json!("TO_CENTRE")]));
        assert_eq!(sold["payout"]["payout"]["amountMinor"], PAYOUT);
    }

    async fn who_was_away_goes_on_after_the_last_step_they_saw(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        case.ship().await;
        for (since, expected) in [
            (0, vec!["matched", "capturing", "awaiting_shipment", "in_transit"]),
            (2, vec!["awaiting_shipment", "in_transit"]),
            (3, vec!["in_transit"]),
        ] {
            let (seen, _) = until(&mut follow(&case, case.buyer, Some(since)), "in_transit").await;
            assert_eq!(kinds(&seen), expected);
            assert_eq!(seen[0].0, since + 1, "none is left out");
        }
        let mut steps = follow(&case, case.seller, Some(4));
        let (seen, ()) = futures::join!(until(&mut steps, "authenticating"), async { _ = case.receive().await });
        assert_eq!(seen.0, [(5, "authenticating".to_owned())], "what was seen does not come again");
    }

    async fn a_match_that_comes_to_nothing_is_seen_to_its_end(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, DECLINED).await;
        let (seen, trade) = until(&mut follow(&case, case.buyer, None), "payment_failed").await;
        assert_eq!(kinds(&seen), case.timeline().await);
        assert_eq!(trade["status"], "PAYMENT_FAILED");
    }

    async fn another_s_trade_cannot_be_followed(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        let other = Who { user: market.seller("Other").await.user, roles: &[Role::Buyer, Role::Seller] };
        for stranger in [Who::new(&[Role::Buyer]), other] {
            assert_eq!(next(&mut follow(&case, stranger, None)).await, None, "there is no such trade, to them");
        }
        for staff in [case.centre, Who::new(&[Role::Buyer, Role::Admin])] {
            let step = next(&mut follow(&case, staff, None)).await.unwrap();
            assert_eq!((&step["event"]["kind"], &step["trade"]["side"]), (&json!("matched"), &Value::Null));
        }
        let query = "subscription($id: ID!) { tradeUpdated(id: $id) { sequence } }";
        let refused = market.subscribe("orders", None, query, json!({ "id": case.trade })).next().await.unwrap();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
