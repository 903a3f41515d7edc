//! Bids with money behind them: none rests without its holds, and nothing stays held that no bid needs.

use std::time::Duration;

use bidding::holding::ENDS_BEFORE;
use bidding::rules::BidPolicy;
use chassis::Engine;
use chrono::{DateTime, TimeDelta, Utc};
use contract::PaymentId;
use entity::bidding::{holding, order};
use entity::payments::payment::{self, State};
use entity::payments::sandbox_object::{self, Kind, Status};
use payments::provider::Setup;
use payments::reconcile;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::pit::{Pit, again, code, run_job, status};
use crate::support::{Market, Person, Relays, start, store};

const BID: i64 = 20_000;

/// Every payment that bids asked for: how it stands, and how much it is of.
async fn payments_of(market: &Market) -> Vec<(State, i64)> {
    market.settle().await;
    let rows = payment::Entity::find().order_by_asc(payment::Column::Id);
    let rows = rows.all(market.env("payments").db.read()).await.unwrap();
    let mut all: Vec<(State, i64)> = rows.into_iter().map(|row| (row.state, row.amount_minor)).collect();
    all.sort_unstable();
    all
}

/// How many payments the bank holds money for, or waits for the buyer.
async fn open_at_bank(market: &Market) -> u64 {
    market.settle().await;
    let open = sandbox_object::Entity::find()
        .filter(sandbox_object::Column::Kind.eq(Kind::Intent))
        .filter(sandbox_object::Column::Status.is_in([Status::Held, Status::NeedsAction]));
    open.count(market.env("payments").db.read()).await.unwrap()
}

/// The bank lets a hold go, and tells nobody.
pub async fn let_go(market: &Market, payment: PaymentId) {
    let gone = sandbox_object::Entity::update_many()
        .col_expr(sandbox_object::Column::Status, Expr::val(Status::Cancelled.to_value()))
        .filter(sandbox_object::Column::Subject.eq(payment.to_string()))
        .exec(market.env("payments").db.write())
        .await;
    assert_eq!(gone.unwrap().rows_affected, 1);
}

/// The payments of this bid, the first piece's first.
async fn holds(market: &Market) -> Vec<PaymentId> {
    market.settle().await;
    let rows = payment::Entity::find().order_by_asc(payment::Column::Id);
    let rows = rows.all(market.env("payments").db.read()).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

async fn bid(pit: &Pit<'_>, by: &Person, input: &Value) -> Value {
    pit.place("placeBid", "PlaceBidInput", by, input.clone()).await
}

fn pieces(pit: &Pit<'_>, quantity: i64) -> Value {
    let mut input = pit.bid_input(BID);
    input["quantity"] = json!(quantity);
    input
}

/// Whether clients are told that bids are held for.
async fn is_told(pit: &Pit<'_>, by: &Person) -> Value {
    let query = "query($id: ID!) { bidPreview(marketId: $id, priceMinor: 20000) { isHeld } }";
    let data = pit.market.data("bidding", Some(by), query, json!({ "id": pit.id })).await;
    data["bidPreview"]["isHeld"].clone()
}

/// When an order ends.
fn end_of(payload: &Value) -> DateTime<Utc> {
    payload["order"]["expiresAt"].as_str().unwrap().parse().unwrap()
}

/// The newest order, as the tables have it.
async fn newest(market: &Market) -> order::Model {
    market.settle().await;
    let newest = order::Entity::find().order_by_desc(order::Column::Number);
    newest.one(market.env("bidding").db.read()).await.unwrap().unwrap()
}

souk_test! {
    held async fn a_bid_rests_while_its_money_is_held(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        assert_eq!(is_told(&pit, &buyer).await, true);
        let input = pieces(&pit, 3);
        let (placed, twin) = futures::join!(bid(&pit, &buyer, &input), bid(&pit, &buyer, &input));
        assert_eq!((status(&placed), pit.quote().await[1]), ("OPEN", Some(BID)));
        assert_eq!(payments_of(market).await, [(State::Authorised, BID); 3]);
        let again = bid(&pit, &buyer, &input).await;
        assert_eq!([&twin["order"]["id"], &again["order"]["id"]], [&placed["order"]["id"]; 2], "the same request again");
        let mut other = input.clone();
        other["priceMinor"] = json!(BID + 100);
        assert_eq!(code(&bid(&pit, &buyer, &other).await), "IDEMPOTENCY_CONFLICT");
        assert_eq!(open_at_bank(market).await, 3, "once for each piece");

        let id = &placed["order"]["id"];
        let later = market.clock.now() + TimeDelta::days(20);
        for more in [json!({ "quantity": 4 }), json!({ "priceMinor": BID + 100 }), json!({ "expiresAt": later })] {
            assert_eq!(code(&pit.amend(&buyer, id, more).await), "BACKED_BY_HOLD");
        }
        assert_eq!(status(&pit.amend(&buyer, id, json!({ "quantity": 2 })).await), "OPEN");
        assert_eq!(open_at_bank(market).await, 2, "what it does not need any more is let go");
        assert_eq!(status(&pit.amend(&buyer, id, json!({ "priceMinor": BID - 1_000 })).await), "OPEN");
        assert_eq!((pit.quote().await[1], open_at_bank(market).await), (Some(BID - 1_000), 2));
        assert_eq!(status(&pit.cancel(&buyer, id).await), "CANCELLED");
        assert_eq!(payments_of(market).await, [(State::Voided, BID); 3]);
        assert_eq!((open_at_bank(market).await, pit.quote().await[1]), (0, None));
        assert_eq!(bid(&pit, &buyer, &input).await["order"]["status"], "CANCELLED", "it was placed, and is no more");
        assert_eq!(payments_of(market).await.len(), 3);
    }

    held async fn a_card_that_cannot_be_held_on_is_refused_with_the_reason_and_nothing_is_held(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        for (method, why) in [
            ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
            ("pm_card_threeDSecure2Required", "authentication_required"),
            ("pm_card_nonsense", "resource_missing"),
        ] {
            let mut input = pieces(&pit, 2);
            input["paymentMethod"] = json!(method);
            for _ in 0..2 {
                let refused = bid(&pit, &buyer, &input).await;
                assert_eq!((code(&refused), &refused["userErrors"][0]["declineCode"]), ("PAYMENT_DECLINED", &json!(why)));
                assert_eq!(refused["userErrors"][0]["field"], json!(["input", "paymentMethod"]));
            }
            assert_eq!((open_at_bank(market).await, pit.quote().await[1]), (0, None), "{method}");
        }
        let before = payments_of(market).await.len();
        for (field, value, wrong) in [
            ("priceMinor", json!(BID + 50), "PRICE_OFF_TICK"),
            ("priceMinor", json!(0), "PRICE_OUT_OF_RANGE"),
            ("quantity", json!(101), "QUANTITY_OUT_OF_RANGE"),
            ("expiresInDays", json!(2), "EXPIRY_INVALID"),
        ] {
            let mut input = pieces(&pit, 1);
            input[field] = value;
            assert_eq!(code(&bid(&pit, &buyer, &input).await), wrong);
        }
        assert_eq!(payments_of(market).await.len(), before, "no bank is asked for what no market takes");
    }

    held async fn what_is_not_bought_at_once_is_let_go(market: &Market) {
        let pit = Pit::open(market).await;
        assert_eq!(code(&pit.buy_now(&market.buyer(), BID).await), "PRICE_MOVED");
        assert_eq!(open_at_bank(market).await, 0);
        assert_eq!(status(&pit.ask(&pit.seller, BID - 1_000).await), "OPEN");
        let mut input = pieces(&pit, 2);
        input["maxPriceMinor"] = input.as_object_mut().unwrap().remove("priceMinor").unwrap();
        let bought = pit.place("buyNow", "BuyNowInput", &market.buyer(), input).await;
        assert_eq!((status(&bought), &bought["order"]["filled"]), ("CANCELLED", &json!(1)));
        let matched = pit.matched().await.remove(0);
        assert_eq!(holds(market).await.iter().position(|hold| Some(*hold) == matched.hold), Some(1));
        let all = payments_of(market).await;
        assert_eq!(all, [(State::Voided, BID), (State::Voided, BID), (State::Captured, BID - 1_000)]);
        assert_eq!(open_at_bank(market).await, 0, "what the piece did not cost is not held any more");
    }

    held async fn a_bid_is_dead_before_its_holds_are(market: &Market) {
        let pit = Pit::open(market).await;
        let (now, buyer) = (market.clock.now(), market.buyer());
        let mut input = pit.bid_input(BID);
        assert_eq!(end_of(&bid(&pit, &buyer, &input).await), now + TimeDelta::days(7) - ENDS_BEFORE);
        (input["expiresInDays"], input["idempotencyKey"]) = (json!(1), json!(pit.key()));
        assert_eq!(end_of(&bid(&pit, &buyer, &input).await), now + TimeDelta::days(1));
        market.clock.advance(TimeDelta::days(7) - ENDS_BEFORE);
        assert_eq!(status(&pit.bid(&again(market, &market.buyer()), BID - 1_000).await), "OPEN");
        assert_eq!(pit.quote().await[1], Some(BID - 1_000));
        let all = payments_of(market).await;
        assert_eq!(all, [(State::Authorised, BID - 1_000), (State::Voided, BID), (State::Voided, BID)]);
    }

    held async fn a_bid_whose_money_is_let_go_leaves_the_book(market: &Market) {
        let pit = Pit::open(market).await;
        assert_eq!(status(&bid(&pit, &market.buyer(), &pieces(&pit, 2)).await), "OPEN");
        let lost = holds(market).await[0];
        let_go(market, lost).await;
        reconcile::read(market.env("payments"), &market.courier(), lost).await.unwrap();
        market.settle().await;
        for _ in 0..2 {
            run_job(market, "bidding.holdings").await;
            assert_eq!((pit.quote().await[1], open_at_bank(market).await), (None, 0));
        }
        let ended = newest(market).await;
        assert_eq!((ended.status, ended.reason), (order::Status::Cancelled, Some(order::Reason::AuthLapsed)));
    }

    held async fn resting_holds_are_not_read_all_the_time_and_are_given_up_when_nobody_comes(market: &Market) {
        let pit = Pit::open(market).await;
        assert_eq!(status(&pit.bid(&market.buyer(), BID).await), "OPEN");
        let look = async || reconcile::look_again(market.env("payments"), &market.courier()).await.unwrap();
        market.clock.advance(TimeDelta::hours(1));
        assert_eq!(look().await, 0);
        market.clock.advance(TimeDelta::days(7));
        assert_eq!(look().await, 1, "its time is over: what became of it?");
        market.clock.advance(TimeDelta::days(30));
        assert_eq!((look().await > 0, open_at_bank(market).await), (true, 0));
    }

    async fn nothing_is_held_for_bids_unless_the_marketplace_wants_it(market: &Market) {
        let pit = Pit::open(market).await;
        let buyer = market.buyer();
        assert_eq!(is_told(&pit, &buyer).await, false);
        assert_eq!(status(&pit.bid(&buyer, BID).await), "OPEN");
        assert!(payments_of(market).await.is_empty());
    }
}

/// Whoever bid is gone before the bank has answered; the others look after their bid `later`, before it answers.
async fn whose_sender_is_gone(engine: Engine, later: TimeDelta, is_placed: bool) {
    let Some(store) = store(engine).await else { return };
    let start_held = async |relays| {
        Market::start_under(&store, relays, start(), Setup::Sandbox, BidPolicy::FullHold).await
    };
    let before = start_held(Relays::Running).await;
    let pit = Pit::open(&before).await;
    before.stop().await;
    let market = start_held(Relays::Silent).await;
    let (pit, buyer) = (pit.moved_to(&market), market.buyer());
    let input = pieces(&pit, 2);
    tokio::select! {
        () = is_begun(&market) => {}
        placed = bid(&pit, &buyer, &input) => panic!("nobody answers: {placed}"),
    }
    market.clock.advance(later);
    sweep(&market).await;
    market.deliver();
    market.settle().await;
    market.clock.advance(TimeDelta::seconds(3));
    for _ in 0..2 {
        sweep(&market).await;
    }
    assert_eq!(open_at_bank(&market).await, if is_placed { 2 } else { 0 });
    assert_eq!(pit.quote().await[1], is_placed.then_some(BID));
    let query = "mutation($input: PlaceBidInput!) { placeBid(input: $input) { order { status } userErrors { code } } }";
    let answer = market.ask("bidding", Some(&again(&market, &buyer)), query, json!({ "input": input })).await;
    match is_placed {
        true => assert_eq!(answer["data"]["placeBid"]["order"]["status"], "OPEN", "{answer}"),
        false => assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}"),
    }
    assert_eq!(open_at_bank(&market).await, if is_placed { 2 } else { 0 }, "once");
    market.stop().await;
    store.remove().await;
}

async fn is_begun(market: &Market) {
    while holding::Entity::find().count(market.env("bidding").db.read()).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn sweep(market: &Market) {
    let jobs = market.souk.services.iter().flat_map(|service| &service.subgraph.jobs);
    for job in jobs.filter(|job| job.name == "bidding.holdings") {
        (job.run)().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bid_whose_sender_is_gone_is_placed_on_sqlite() {
    whose_sender_is_gone(Engine::Sqlite, TimeDelta::zero(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bid_whose_sender_is_gone_is_placed_on_postgres() {
    whose_sender_is_gone(Engine::Postgres, TimeDelta::zero(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_for_a_bid_that_nobody_wants_any_more_on_sqlite() {
    whose_sender_is_gone(Engine::Sqlite, TimeDelta::minutes(15), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_for_a_bid_that_nobody_wants_any_more_on_postgres() {
    whose_sender_is_gone(Engine::Postgres, TimeDelta::minutes(15), false).await;
}
