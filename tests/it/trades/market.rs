//! From a bid to a pair at the door and money at the seller: the whole way through the API, with stock behind the ask.

use contract::event::bidding::Matched as Said;

use super::*;
use crate::bidding::pit::{Pit, code, status, tell_engine};

/// The case of a match that the market made.
pub(super) async fn case<'m>(pit: &Pit<'m>, buyer: Who, said: &Said) -> Case<'m> {
    let case = Case {
        market: pit.market,
        offer: pit.offer,
        trade: said.trade_id,
        buyer,
        seller: Who { user: said.seller_user_id, roles: &[Role::Buyer, Role::Seller] },
        seller_id: said.seller_id,
        centre: Who::authenticator(),
    };
    case.settle().await;
    case
}

/// A new buyer bids, and meets an ask.
async fn buy<'m>(pit: &Pit<'m>, method: &str) -> (Case<'m>, Said) {
    let buyer = Who::new(&[Role::Buyer]);
    let mut input = pit.bid_input(PRICE + 1_000);
    input["paymentMethod"] = json!(method);
    let by = buyer.person(pit.market);
    assert_eq!(status(&pit.place("placeBid", "PlaceBidInput", &by, input).await), "FILLED");
    let matched = pit.matched().await;
    let said = matched.into_iter().find(|said| said.buyer_id == buyer.user).expect("the bid was matched");
    (case(pit, buyer, &said).await, said)
}

/// Journals, trades and stock say the same.
pub(super) async fn all_agrees(market: &Market) {
    market.settle().await;
    let report = bidding::recount::verify(&market.env("bidding").db).await.unwrap();
    assert!(report.is_right(), "{report}");
    crate::inventory::books_are_right(market).await;
}

souk_test! {
    async fn a_bid_becomes_a_pair_at_the_door_and_money_at_the_seller(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 2).await;
        assert_eq!(status(&pit.ask_backed(PRICE, 2).await), "OPEN");
        let (case, said) = buy(&pit, VISA).await;
        assert_eq!((said.price.amount_minor, said.fees.payout_minor), (PRICE, PAYOUT), "the price is the ask's");
        assert_eq!((case.status().await.as_str(), case.paid().await), ("AWAITING_SHIPMENT", [PRICE, 0]));
        assert_eq!((case.ledger().await, case.stock().await), ([PRICE, 0, 0], [2, 2, 0]));
        case.look_at(true).await;
        assert_eq!(case.stock().await, [1, 1, 0], "it left the shelf when it was shipped");
        assert_eq!(codes(&case.dispatch().await), [""; 0]);
        assert_eq!(case.sent_to_seller().await, 0);
        assert_eq!(codes(&case.delivered(case.buyer).await), [""; 0]);
        assert_eq!(case.status().await, "COMPLETED");
        assert_eq!((case.sent_to_seller().await, case.ledger().await), (PAYOUT, [0, 0, FEES]));
        assert_eq!((pit.quote().await, case.stock().await), ([Some(PRICE), None, Some(PRICE)], [1, 1, 0]));
        all_agrees(market).await;
    }

    async fn an_ask_whose_buyer_is_declined_stands_where_it_stood_and_sells_to_the_next(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        let other = market.seller("Other").await;
        let first = pit.ask_backed(PRICE, 1).await["order"]["id"].clone();
        assert_eq!(status(&pit.ask(&other, PRICE).await), "OPEN");
        let (declined, said) = buy(&pit, DECLINED).await;
        assert_eq!(json!(said.ask_id), first);
        let trade = declined.seen_by(declined.buyer).await;
        assert_eq!((&trade["status"], &trade["failure"]), (&json!("PAYMENT_FAILED"), &json!("DECLINED")));
        assert_eq!((declined.paid().await, declined.strikes(declined.buyer).await), ([0, 0], vec!["NOT_PAID".to_owned()]));
        tell_engine(market).await;
        assert_eq!(declined.stock().await, [1, 1, 0], "its piece stays with the ask");

        let (case, again) = buy(&pit, VISA).await;
        assert_eq!((json!(again.ask_id), again.backing), (first, said.backing), "before the one that came later");
        case.look_at(true).await;
        case.dispatch().await;
        case.delivered(case.buyer).await;
        assert_eq!((case.status().await.as_str(), case.sent_to_seller().await), ("COMPLETED", PAYOUT));
        assert_eq!((case.stock().await, pit.quote().await[0]), ([0, 0, 0], Some(PRICE)));
        all_agrees(market).await;
    }

    async fn a_seller_who_does_not_ship_has_the_piece_again_and_no_ask(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 1).await;
        assert_eq!(status(&pit.ask_backed(PRICE, 1).await), "OPEN");
        let (case, _) = buy(&pit, VISA).await;
        case.wait(rules().ship_within).await;
        tell_engine(market).await;
        assert_eq!((case.status().await.as_str(), case.paid().await), ("REFUNDED", [PRICE, PRICE]));
        assert_eq!((case.stock().await, pit.quote().await[0]), ([1, 0, 1], None));
        all_agrees(market).await;
    }

    async fn who_is_struck_too_often_is_out_of_the_market(market: &Market) {
        let pit = Pit::stocked_in(market, "EUR", 4).await;
        assert_eq!(status(&pit.ask_backed(PRICE, 4).await), "OPEN");
        let buyer = Who::new(&[Role::Buyer]);
        for strikes in 1..=3 {
            let mut input = pit.bid_input(PRICE);
            input["paymentMethod"] = json!(DECLINED);
            let by = buyer.person(market);
            assert_eq!(status(&pit.place("placeBid", "PlaceBidInput", &by, input).await), "FILLED");
            let said = pit.matched().await.pop().unwrap();
            let case = case(&pit, buyer, &said).await;
            tell_engine(market).await;
            assert_eq!(case.strikes(buyer).await.len(), strikes);
        }
        let refused = pit.bid(&buyer.person(market), PRICE).await;
        assert_eq!(code(&refused), "SUSPENDED");
        let standing = standing(market, buyer).await;
        assert_eq!(refused["userErrors"][0]["suspendedUntil"], standing["suspendedUntil"]);
        assert_eq!(pit.quote().await[0], Some(PRICE), "the ask is back each time");
    }
}
