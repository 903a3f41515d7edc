//! Sagas that wait, give up, are undone or need an operator.

use chassis::outbox::{self, about};
use chassis::tx;
use chrono::TimeDelta;
use contract::event::inventory::StockReleased;
use contract::{Event, OrderId, ReservationId};
use orders::drive::sweep;
use payments::provider::sandbox::{Faults, misbehave};
use serde_json::{Value, json};

use super::*;

fn order_id(placed: &Value) -> OrderId {
    placed["order"]["id"].as_str().unwrap().parse().unwrap()
}

async fn say(market: &Market, service: &str, kind: &str, order: OrderId, event: impl Into<Event>) {
    let (now, event) = (market.clock.now(), event.into());
    tx::apply(&market.env(service).db, async |tx| outbox::say(tx, now, about(kind, order.0, 1), event).await)
        .await
        .unwrap();
}

/// Lets time pass in steps, sweeping after each.
async fn wait(market: &Market, steps: usize, step: TimeDelta) {
    for _ in 0..steps {
        market.clock.advance(step);
        sweep(market.env("orders")).await.unwrap();
        ::inventory::reservation::sweep(market.env("inventory")).await.unwrap();
        market.settle().await;
    }
}

/// What the provider does from now on: nothing, or what it should.
async fn provider(market: &Market, answers: bool) {
    let faults = Faults { lost: if answers { 0 } else { 1_000 }, ..Faults::default() };
    misbehave(market.env("payments"), &faults).await.unwrap();
}

/// An order whose payment is not answered: the provider is down.
async fn silent<'m>(shop: &Shop<'m>, offer: OfferId) -> (Buyer<'m>, Value) {
    provider(shop.market, false).await;
    let guest = Buyer::guest(shop.market, &[(offer, 1)]).await;
    let mut input = guest.order_input(VISA, 1_000);
    input["waitMs"] = json!(0);
    let placed = guest.checkout(input).await;
    shop.market.settle().await;
    (guest, placed)
}

/// The provider answers again, and payments has asked it again.
async fn back(market: &Market) {
    provider(market, true).await;
    wait(market, 3, TimeDelta::seconds(61)).await;
}

async fn cancel(guest: &Buyer<'_>, placed: &Value) -> Value {
    let input = json!({ "orderId": placed["order"]["id"], "orderToken": placed["orderToken"] });
    guest.does("cancelOrder", "order { status }", "", input).await
}

async fn act(market: &Market, placed: &Value, action: &str) -> Value {
    let input = json!({ "orderId": placed["order"]["id"], "action": action, "reason": "seen in the provider's console" });
    call(market, &market.admin(), "actOnSaga", "saga { state steps { kind actor } }", input).await
}

async fn stuck(market: &Market) -> Vec<String> {
    let query = "{ sagas { edges { node { state order { id } steps { kind at actor } } } } }";
    let data = market.data("orders", Some(&market.admin()), query, json!({})).await;
    data["sagas"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["state"].as_str().unwrap().to_owned())
        .collect()
}

souk_test! {
    async fn a_payment_that_is_never_answered_is_asked_again_and_then_undone(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = silent(&shop, offer).await;
        assert_eq!(guest.order(&placed).await["status"], "PAYING");
        assert_eq!(shop.levels(offer).await, [5, 1, 4]);
        wait(market, 7, TimeDelta::seconds(61)).await;
        assert_eq!(guest.order(&placed).await["status"], "CANCELLING");
        back(market).await;
        let order = guest.once(&placed, "CANCELLED").await;
        assert_eq!(order["cancelReason"], "TIMED_OUT");
        assert_eq!(timeline(&order).iter().take_while(|kind| **kind != "voiding").filter(|kind| **kind == "asked_again").count(), 6);
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
        assert_eq!(guest.holds().await, [(offer.to_string(), 1)], "the cart is the buyer's again");
    }

    async fn a_buyer_who_does_not_confirm_in_time_gets_nothing_and_pays_nothing(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let placed = guest.buy(ASKS_BUYER, 1_000).await;
        wait(market, 1, TimeDelta::minutes(14)).await;
        assert_eq!(guest.order(&placed).await["status"], "NEEDS_ACTION");
        wait(market, 1, TimeDelta::minutes(2)).await;
        let order = guest.once(&placed, "CANCELLED").await;
        assert_eq!(order["cancelReason"], "NOT_CONFIRMED");
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
        confirm(market, &placed, true).await;
        assert_eq!(guest.order(&placed).await["status"], "CANCELLED", "a late word changes nothing");
    }

    async fn a_buyer_cancels_before_the_money_is_taken_and_not_after(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = silent(&shop, offer).await;
        let input = json!({ "orderId": placed["order"]["id"], "orderToken": placed["orderToken"] });
        for _ in 0..2 {
            assert_eq!(codes(&guest.does("cancelOrder", "order { status }", "", input.clone()).await), [""; 0]);
        }
        back(market).await;
        assert_eq!(guest.once(&placed, "CANCELLED").await["cancelReason"], "CANCELLED");
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
        let bought = guest.buy(VISA, 1_000).await;
        let stranger = json!({ "orderId": bought["order"]["id"] });
        assert_eq!(codes(&Buyer::user(market).does("cancelOrder", "order { status }", "", stranger).await), ["NOT_FOUND"]);
    }

    async fn those_who_cancel_an_order_at_once_wait_for_each_other_and_it_is_undone_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 20).await;
        let mut bought = vec![];
        for _ in 0..8 {
            let guest = Buyer::guest(market, &[(offer, 1)]).await;
            let placed = guest.buy(ASKS_BUYER, 1_000).await;
            bought.push((guest, placed));
        }
        let at_once = bought.iter().flat_map(|(guest, placed)| [(); 3].map(|()| cancel(guest, placed)));
        for done in futures::future::join_all(at_once).await {
            assert_eq!(codes(&done), [""; 0], "{done}");
        }
        market.settle().await;
        for (guest, placed) in &bought {
            let order = guest.order(placed).await;
            assert_eq!(order["status"], "CANCELLED");
            assert_eq!(timeline(&order), ["placed", "authorising", "confirming", "voiding", "releasing", "cancelled"]);
        }
        assert_eq!(shop.levels(offer).await, [20, 0, 20]);
    }

    async fn stock_that_goes_while_the_buyer_confirms_is_not_paid_for(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let placed = guest.buy(ASKS_BUYER, 1_000).await;
        let order_id = order_id(&placed);
        let gone = StockReleased { reservation_id: ReservationId(order_id.0), order_id: Some(order_id), reason: "expired".into() };
        say(market, "inventory", "reservation", order_id, gone).await;
        market.settle().await;
        let order = guest.once(&placed, "CANCELLED").await;
        assert_eq!(order["cancelReason"], "STOCK_LOST");
    }

    async fn paid_goods_whose_stock_is_gone_are_paid_back(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let placed = guest.buy(ASKS_BUYER, 1_000).await;
        // The reservation ends, and its news is not delivered before the money is taken.
        let release = "update reservation set state = 'released'";
        sea_orm::ConnectionTrait::execute_unprepared(market.env("inventory").db.write(), release).await.unwrap();
        confirm(market, &placed, true).await;
        let order = guest.once(&placed, "CANCELLED").await;
        assert_eq!(timeline(&order)[3..], ["capturing", "committing", "refunding", "releasing", "cancelled"]);
    }

    async fn an_operator_sees_what_is_stuck_and_moves_it(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let placed = guest.buy(VISA, 1_000).await;
        market.settle().await;
        let set = "update settlement set state = 'stuck_capturing', next_run_at = null";
        sea_orm::ConnectionTrait::execute_unprepared(market.env("orders").db.write(), set).await.unwrap();
        assert_eq!(stuck(market).await, ["STUCK_CAPTURING"]);
        assert_eq!(guest.order(&placed).await["status"], "ON_HOLD");
        let retried = act(market, &placed, "RETRY").await;
        assert_eq!(retried["saga"]["state"], "CAPTURING");
        guest.once(&placed, "PAID").await;
        assert_eq!(codes(&act(market, &placed, "RETRY").await), ["NOT_NOW"]);
        assert_eq!(stuck(market).await, [""; 0]);
        let trail = chassis::audit::first_broken(market.env("orders").db.read()).await.unwrap();
        assert_eq!(trail, None);
        let seen = market.ask("orders", Some(&market.buyer()), "{ sagas { edges { node { state } } } }", json!({})).await;
        assert_eq!(seen["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }

    async fn an_operator_undoes_what_cannot_go_on(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = silent(&shop, offer).await;
        assert_eq!(codes(&act(market, &placed, "SKIP").await), ["NOT_NOW"]);
        assert_eq!(act(market, &placed, "COMPENSATE").await["saga"]["state"], "VOIDING");
        back(market).await;
        guest.once(&placed, "CANCELLED").await;
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
    }
}
