//! What is held for a bid: it becomes the payment of a trade, or nothing.

use bidding::rules::BidPolicy;
use chrono::TimeDelta;
use contract::event::payments::{AuthorisePayment, CaptureHold, HoldMoney, Share, VoidPayment};
use contract::{CurrencyCode, Event, Money, OrderId, RefundId, UserId};
use entity::bidding::order;
use entity::payments::payment::{self, State};
use payments::provider::{RemoteStanding, Standing};
use payments::reconcile;
use sea_orm::EntityTrait;
use serde_json::json;

use super::{Bank, provider_test};
use crate::bidding::pit::{Pit, run_job, status};
use crate::payments::Sale;

/// What is held, in cents: a thousand more than the sale costs.
const HELD: i64 = 16_000;

fn hold(sale: &Sale<'_>, method: &str) -> Event {
    HoldMoney {
        payment_id: sale.payment,
        user_id: UserId::new(),
        amount: Money { amount_minor: HELD, currency: CurrencyCode::EUR },
        method: method.into(),
        expires_at: sale.market.clock.now() + TimeDelta::days(31),
    }
    .into()
}

/// What the sale costs, more by so much, and whose it is.
fn capture(sale: &Sale<'_>, order_id: OrderId, more: i64) -> Event {
    let Event::AuthorisePayment(AuthorisePayment { mut amount, mut shares, .. }) = sale.authorise("") else {
        panic!("a sale is authorised");
    };
    amount.amount_minor += more;
    shares[0] = Share { amount_minor: shares[0].amount_minor + more, ..shares[0].clone() };
    CaptureHold { payment_id: sale.payment, order_id, amount, shares }.into()
}

/// The bid gives it up.
fn give_up(sale: &Sale<'_>) -> Event {
    let (payment_id, order_id) = (sale.payment, OrderId(sale.payment.0));
    VoidPayment { payment_id, order_id, reason: "the bid needs it no more".into() }.into()
}

async fn standing(bank: &Bank, sale: &Sale<'_>) -> RemoteStanding {
    bank.remote(&sale.row().await).await.expect("the provider knows it").standing
}

provider_test! {
    async fn what_is_held_for_a_bid_pays_for_its_trade_and_the_rest_is_let_go(bank: &Bank) {
        let sale = bank.unasked().await;
        for _ in 0..2 {
            bank.asks(&sale, hold(&sale, "pm_card_visa")).await;
        }
        assert_eq!(sale.answers().await, ["hold_changed", "hold_changed"], "asked twice, answered twice, held once");
        assert_eq!(sale.said_last().await["standing"]["is"], "HELD");
        assert!(matches!(standing(bank, &sale).await, RemoteStanding::Hold(Standing::Held { .. })));
        for ask in [capture(&sale, sale.order, 0), capture(&sale, sale.order, 0), give_up(&sale)] {
            bank.asks(&sale, ask).await;
        }
        assert_eq!(sale.answers().await[2..], ["captured", "captured"], "it is the trade's: the bid cannot give it up");
        let RemoteStanding::Captured(captured) = standing(bank, &sale).await else { panic!("it is taken") };
        assert_eq!((captured.amount_minor, captured.fee_minor), (15_000, 250));
        assert_eq!([sale.balance(sale.held(0)).await, sale.balance(sale.held(1)).await], [10_000, 5_000]);
        reconcile::read(bank.market.env("payments"), &bank.market.courier(), sale.payment).await.unwrap();
        bank.settle().await;
        assert_eq!((sale.state().await, sale.row().await.attention), (State::Captured, None), "nothing went back");
        bank.asks(&sale, sale.refund(RefundId::new(), 4_000, 800, 400)).await;
        assert_eq!((sale.state().await, sale.row().await.refunded_minor), (State::PartlyRefunded, 4_000));
        bank.agrees().await;
        let other = OrderId::new();
        bank.asks(&sale, capture(&sale, other, 0)).await;
        assert_eq!(sale.said_last().await["order_id"], json!(other));
        assert_eq!(sale.answers().await.last().unwrap(), "capture_failed", "no two trades are paid with one hold");
    }

    async fn a_hold_that_is_too_small_is_let_go_and_nothing_is_taken(bank: &Bank) {
        let sale = bank.unasked().await;
        bank.asks(&sale, hold(&sale, "pm_card_visa")).await;
        bank.asks(&sale, capture(&sale, sale.order, 1_001)).await;
        assert_eq!(sale.answers().await, ["hold_changed", "capture_failed", "voided"]);
        assert_eq!(standing(bank, &sale).await, RemoteStanding::Cancelled);
        assert_eq!(sale.balance(sale.held(0)).await, 0);
    }

    async fn a_hold_that_nobody_takes_is_given_up_or_was_never_there(bank: &Bank) {
        for (method, answers) in [
            ("pm_card_visa", [("HELD", None), ("GONE", None)]),
            ("pm_card_threeDSecure2Required", [("REFUSED", Some("authentication_required")), ("GONE", None)]),
            ("pm_card_chargeDeclinedExpiredCard", [("REFUSED", Some("expired_card")), ("GONE", None)]),
        ] {
            let sale = bank.unasked().await;
            for (ask, (is, code)) in [hold(&sale, method), give_up(&sale)].into_iter().zip(answers) {
                bank.asks(&sale, ask).await;
                let said = sale.said_last().await["standing"].take();
                assert_eq!((said["is"].as_str(), said["code"].as_str()), (Some(is), code), "{method}");
            }
            let at_bank = bank.remote(&sale.row().await).await.map(|remote| remote.standing);
            assert!(!matches!(at_bank, Some(RemoteStanding::Hold(_))), "{method}: {at_bank:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bid_whose_hold_ends_at_stripe_leaves_the_book() {
    let bank = Bank::stripe_under(BidPolicy::FullHold).await;
    let pit = Pit::stocked_in(&bank.market, "EUR", 1).await;
    assert_eq!(status(&pit.bid(&bank.market.buyer(), HELD).await), "OPEN");
    bank.settle().await;
    let held = payment::Entity::find().one(bank.market.env("payments").db.read()).await.unwrap().unwrap();
    let reference = held.reference.unwrap();
    bank.post(&format!("/v1/payment_intents/{reference}/cancel"), "").await;
    bank.settle().await;
    run_job(&bank.market, "bidding.holdings").await;
    let ended = order::Entity::find().one(bank.market.env("bidding").db.read()).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.reason), (order::Status::Cancelled, Some(order::Reason::AuthLapsed)));
    assert_eq!(pit.quote().await[1], None);
    bank.close().await;
}
