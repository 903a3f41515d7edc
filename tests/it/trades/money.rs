//! Money and standing over several trades.

use super::*;

async fn late<'m>(shop: &Shop<'_>, market: &'m Market, offer: OfferId) -> Case<'m> {
    let case = Case::matched(shop, market, offer, VISA).await;
    case.wait(rules().ship_within).await;
    case
}

souk_test! {
    async fn what_a_seller_earns_next_pays_the_penalty_first(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let first = late(&shop, market, offer).await;
        assert_eq!(first.ledger().await, [0, PENALTY, PENALTY]);
        let query = "{ sellerBalance { currencies { owed { amountMinor } } } ledgerEntries { edges { node { reason from to amount { amountMinor } } } } }";
        let mine = market.data("payments", Some(&first.seller.person(market)), query, json!({})).await;
        assert_eq!(mine["sellerBalance"]["currencies"][0]["owed"]["amountMinor"], PENALTY);
        let entries = mine["ledgerEntries"]["edges"].as_array().unwrap();
        let penalty: Vec<&Value> = entries.iter().map(|edge| &edge["node"]).filter(|entry| entry["reason"] == "PENALTY").collect();
        assert_eq!(penalty, [&json!({ "reason": "PENALTY", "from": "RECEIVABLE", "to": "PLATFORM_FEE", "amount": { "amountMinor": PENALTY } })]);
        let second = Case::matched(&shop, market, offer, VISA).await;
        second.look_at(true).await;
        second.dispatch().await;
        second.delivered(second.buyer).await;
        assert_eq!(second.status().await, "COMPLETED");
        assert_eq!(second.sent_to_seller().await, PAYOUT - PENALTY);
        assert_eq!(second.ledger().await, [0, 0, PENALTY + FEES]);
    }

    async fn one_strike_too_many_suspends_until_one_lapses(market: &Market) {
        let (shop, offer) = stocked(market).await;
        for strikes in 1..=3 {
            let case = late(&shop, market, offer).await;
            let standing = standing(market, case.seller).await;
            assert_eq!(standing["strikes"].as_array().unwrap().len(), strikes);
            assert_eq!(standing["good"], json!(strikes <= 2));
            assert_eq!(standing["suspendedUntil"].is_string(), strikes == 3);
            if strikes == 3 {
                case.wait(rules().strike_counts_for - rules().ship_within * 2).await;
                let standing = super::standing(market, case.seller).await;
                assert_eq!((&standing["good"], standing["strikes"].as_array().unwrap().len()), (&json!(true), 2));
                assert_eq!(case.ledger().await[1], 3 * PENALTY, "what is owed does not lapse");
            }
        }
    }

    async fn many_matches_at_once_are_each_paid_once(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let cases = futures::future::join_all((0..5).map(|_| Case::matched(&shop, market, offer, VISA))).await;
        for case in &cases {
            assert_eq!((case.status().await.as_str(), case.paid().await), ("AWAITING_SHIPMENT", [PRICE, 0]));
        }
        assert_eq!(shop.levels(offer).await, [5, 5, 0]);
        let query = "query($after: String) { myTrades(side: SELLER, first: 2, after: $after) { edges { cursor node { id status } } pageInfo { hasNextPage endCursor } } }";
        let (mut after, mut seen) = (Value::Null, HashSet::new());
        loop {
            let by = cases[0].seller.person(market);
            let page = market.data("orders", Some(&by), query, json!({ "after": after })).await["myTrades"].take();
            for edge in page["edges"].as_array().unwrap() {
                assert!(seen.insert(edge["node"]["id"].as_str().unwrap().to_owned()), "shown twice: {page}");
            }
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, cases.iter().map(|case| case.trade.to_string()).collect());
    }

    async fn a_match_whose_parts_do_not_add_up_is_charged_to_nobody(market: &Market) {
        let (shop, offer) = stocked(market).await;
        let case = Case::matched(&shop, market, offer, VISA).await;
        let mut said = case.said(VISA, ReservationId::new());
        (said.trade_id, said.fees.payout_minor) = (TradeId::new(), PAYOUT + 1);
        let trade = said.trade_id;
        let envelope = Envelope {
            id: contract::EventId::new(),
            schema_version: 1,
            aggregate: about("trade", trade, 1),
            occurred_at: market.clock.now(),
            traceparent: None,
            event: said.into(),
        };
        let consumers = market.souk.consumers();
        let ear = consumers.iter().find(|consumer| consumer.name == "orders.bidding").unwrap();
        assert!(ear.deliver(vec![envelope]).await.unwrap_err().to_string().contains("do not add up"));
        let row = entity::orders::trade::Entity::find_by_id(trade).one(market.env("orders").db.read()).await.unwrap();
        assert_eq!(row, None);
    }
}
