//! Trades of bids that money is held for: each piece takes what it costs out of a hold of its own.

use contract::event::bidding::Matched as Said;
use contract::event::orders::Struck;

use super::market::{all_agrees, case};
use super::*;
use crate::bidding::held::let_go;
use crate::bidding::pit::{Pit, code, status, tell_engine};

/// What a buyer bids for each of two pieces.
const BID: i64 = PRICE + 1_000;

async fn bid_for_two(pit: &Pit<'_>, buyer: Who, price: i64) -> Value {
    let mut input = pit.bid_input(price);
    input["quantity"] = json!(2);
    pit.place("placeBid", "PlaceBidInput", &buyer.person(pit.market), input).await
}

/// Every payment: how it stands, what it is of, and what was taken.
async fn payments(market: &Market) -> Vec<(payment::State, i64, i64)> {
    market.settle().await;
    let rows = payment::Entity::find().all(market.env("payments").db.read()).await.unwrap();
    let all = rows.into_iter().map(|row| (row.state, row.amount_minor, row.captured_minor));
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all
}

/// Lets answers be asked for again that told nothing.
async fn be_patient(market: &Market) {
    for _ in 0..3 {
        market.clock.advance(TimeDelta::seconds(61));
        market.settle().await;
    }
}

async fn delivered(case: &Case<'_>) {
    case.look_at(true).await;
    assert_eq!(codes(&case.dispatch().await), [""; 0]);
    assert_eq!(codes(&case.delivered(case.buyer).await), [""; 0]);
    assert_eq!(case.status().await, "COMPLETED");
}

souk_test! {
    held async fn two_pieces_of_one_bid_are_sold_by_two_sellers_and_each_is_paid_out_of_its_own_hold(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        let other = market.seller("Other").await;
        assert_eq!(status(&pit.ask_backed(PRICE, 1).await), "OPEN");
        assert_eq!(status(&pit.ask(&other, PRICE).await), "OPEN");
        let buyer = Who::new(&[Role::Buyer]);
        assert_eq!(status(&bid_for_two(&pit, buyer, BID).await), "FILLED");
        let said: Vec<Said> = pit.matched().await;
        assert!(said[0].hold.is_some() && said[1].hold.is_some() && said[0].hold != said[1].hold, "{said:?}");
        let cases = [case(&pit, buyer, &said[0]).await, case(&pit, buyer, &said[1]).await];
        for case in &cases {
            assert_eq!((case.status().await.as_str(), case.paid().await), ("AWAITING_SHIPMENT", [PRICE, 0]));
            assert_eq!(case.timeline().await, ["matched", "awaiting_shipment"]);
        }
        assert_eq!(payments(market).await, [(payment::State::Captured, PRICE, PRICE); 2], "no more than it costs");
        delivered(&cases[0]).await;
        assert_eq!((cases[0].sent_to_seller().await, cases[0].ledger().await), (PAYOUT, [0, 0, FEES]));
        cases[1].wait(rules().ship_within).await;
        assert_eq!((cases[1].status().await.as_str(), cases[1].paid().await), ("REFUNDED", [PRICE, PRICE]));
        assert_eq!(payments(market).await.len(), 2, "nobody was charged but for what is held");
        all_agrees(market).await;
    }

    held async fn a_resting_bid_pays_for_what_it_got_and_the_rest_is_let_go(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        let buyer = Who::new(&[Role::Buyer]);
        let bid = bid_for_two(&pit, buyer, PRICE).await;
        assert_eq!(status(&bid), "OPEN");
        assert_eq!(status(&pit.ask_backed(PRICE - 2_000, 1).await), "FILLED");
        let said = pit.matched().await.remove(0);
        let case = case(&pit, buyer, &said).await;
        assert_eq!((case.status().await.as_str(), case.paid().await), ("AWAITING_SHIPMENT", [PRICE, 0]));
        let taken = (payment::State::Captured, PRICE, PRICE);
        assert_eq!(payments(market).await, [(payment::State::Authorised, PRICE, 0), taken]);
        assert_eq!(status(&pit.cancel(&buyer.person(market), &bid["order"]["id"]).await), "CANCELLED");
        assert_eq!(payments(market).await, [(payment::State::Voided, PRICE, 0), taken]);
        delivered(&case).await;
        assert_eq!((case.sent_to_seller().await, case.strikes(buyer).await.len()), (PAYOUT, 0));
        all_agrees(market).await;
    }

    held async fn a_hold_that_is_gone_when_its_match_comes_pays_nothing_and_the_ask_stands_again(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        let buyer = Who::new(&[Role::Buyer]);
        let placed = pit.bid(&buyer.person(market), PRICE).await;
        assert_eq!(status(&placed), "OPEN");
        market.settle().await;
        let held = payment::Entity::find().one(market.env("payments").db.read()).await.unwrap().unwrap();
        let_go(market, held.id).await;
        assert_eq!(status(&pit.ask_backed(PRICE, 1).await), "FILLED");
        let said = pit.matched().await.remove(0);
        assert_eq!(said.hold, Some(held.id));
        let case = case(&pit, buyer, &said).await;
        be_patient(market).await;
        let trade = case.seen_by(case.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("PAYMENT_FAILED"), &json!("DECLINED")));
        assert_eq!((case.paid().await, case.strikes(buyer).await), ([0, 0], vec!["NOT_PAID".to_owned()]));
        tell_engine(market).await;
        assert_eq!((pit.quote().await[0], case.stock().await), (Some(PRICE), [1, 1, 0]));
        all_agrees(market).await;
    }

    held async fn a_buyer_who_is_suspended_has_nothing_held(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        let buyer = Who::new(&[Role::Buyer]);
        assert_eq!(status(&bid_for_two(&pit, buyer, PRICE).await), "OPEN");
        let until = market.clock.now() + TimeDelta::days(9);
        let (user_id, trade_id) = (buyer.user, TradeId::new());
        say(market, "orders", Struck { user_id, trade_id, strikes: 3, suspended_until: Some(until) }).await;
        market.settle().await;
        tell_engine(market).await;
        assert_eq!((pit.quote().await[1], code(&bid_for_two(&pit, buyer, PRICE).await)), (None, "SUSPENDED"));
        assert_eq!(payments(market).await, [(payment::State::Voided, PRICE, 0); 2]);
    }
}
