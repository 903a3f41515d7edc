//! After the sale: parcels, cancellations, returns and money back.

use chrono::TimeDelta;
use orders::parcel::sweep;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::*;

/// A paid order of so many pieces each of `lines`.
async fn bought<'m>(market: &'m Market, lines: &[(OfferId, i64)], total: i64) -> (Buyer<'m>, Value) {
    let guest = Buyer::guest(market, lines).await;
    let placed = guest.buy(VISA, total).await;
    assert_eq!(placed["order"]["status"], "PAID", "{placed}");
    market.settle().await;
    (guest, placed)
}

async fn ship(shop: &Shop<'_>, placed: &Value, pieces: Value) -> Value {
    let input = json!({
        "idempotencyKey": key(), "orderId": placed["order"]["id"], "pieces": pieces, "carrier": "DHL", "tracking": "1Z",
    });
    let buyer = Buyer { market: shop.market, person: Some(shop.seller.clone()), token: None };
    buyer.does("shipOrder", "fulfilmentId", "line left", input).await
}

async fn confirm(shop: &Shop<'_>, placed: &Value) -> Value {
    let input = json!({ "orderId": placed["order"]["id"] });
    call(shop.market, &shop.seller, "confirmOrder", "sale { progress confirmedAt }", input).await
}

async fn arrived(shop: &Shop<'_>, shipped: &Value) -> Value {
    let input = json!({ "fulfilmentId": shipped["fulfilmentId"] });
    call(shop.market, &shop.seller, "confirmDelivery", "fulfilment { deliveredAt }", input).await
}

async fn cancel(buyer: &Buyer<'_>, placed: &Value) -> Value {
    let input = json!({ "orderId": placed["order"]["id"], "orderToken": placed["orderToken"] });
    let done = buyer.does("cancelOrder", "order { status }", "", input).await;
    buyer.market.settle().await;
    done
}

async fn ask_back(buyer: &Buyer<'_>, placed: &Value, pieces: Value) -> Value {
    let input = json!({
        "idempotencyKey": key(), "orderId": placed["order"]["id"], "orderToken": placed["orderToken"],
        "pieces": pieces, "reason": "too small",
    });
    buyer.does("requestReturn", "returnId", "line left", input).await
}

/// Each seller's progress, and what went back to the buyer.
async fn shares(buyer: &Buyer<'_>, placed: &Value) -> Vec<(String, i64)> {
    let query = "query($id: ID!, $token: String) { order(id: $id, orderToken: $token) { shares {
        progress refunds { state amount { amountMinor } } } } }";
    let variables = json!({ "id": placed["order"]["id"], "token": placed["orderToken"] });
    let data = buyer.market.data("orders", buyer.person.as_ref(), query, variables).await;
    let shares = data["order"]["shares"].as_array().unwrap();
    let back = |share: &Value| {
        let refunds = share["refunds"].as_array().unwrap();
        let done = refunds.iter().filter(|refund| refund["state"] == "DONE");
        done.map(|refund| refund["amount"]["amountMinor"].as_i64().unwrap()).sum()
    };
    shares.iter().map(|share| (share["progress"].as_str().unwrap().to_owned(), back(share))).collect()
}

fn pieces(line: i32, quantity: i64) -> Value {
    json!([{ "line": line, "quantity": quantity }])
}

souk_test! {
    async fn a_shop_sends_in_parts_and_has_earned_it_when_all_has_arrived(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = bought(market, &[(offer, 3)], 3_000).await;
        assert_eq!(shares(&guest, &placed).await, [("UNSHIPPED".into(), 0)]);
        let first = ship(&shop, &placed, pieces(1, 1)).await;
        assert_eq!(shares(&guest, &placed).await, [("PARTLY_SHIPPED".into(), 0)]);
        let too_many = ship(&shop, &placed, pieces(1, 3)).await;
        assert_eq!((codes(&too_many), &too_many["userErrors"][0]["left"]), (vec!["TOO_MANY"], &json!(2)));
        let second = ship(&shop, &placed, pieces(1, 2)).await;
        arrived(&shop, &first).await;
        assert_eq!(shares(&guest, &placed).await, [("SHIPPED".into(), 0)]);
        for _ in 0..2 {
            assert_eq!(codes(&arrived(&shop, &second).await), [""; 0]);
        }
        market.settle().await;
        assert_eq!(shares(&guest, &placed).await, [("DELIVERED".into(), 0)]);
        let payouts = entity::orders::payout::Entity::find().all(market.env("orders").db.read()).await.unwrap();
        assert_eq!(payouts.len(), 1);
        assert!(payouts[0].released_at.is_some());
        let order = guest.order(&placed).await;
        assert_eq!(timeline(&order)[5..], ["shipped", "shipped", "delivered", "delivered"]);
    }

    async fn a_shop_confirms_its_part_once_and_the_buyer_sees_it(market: &Market) {
        let (one, two) = (Shop::open(market, "One").await, Shop::open(market, "Two").await);
        let (book, shoe) = (one.offer(1_000, 5).await, two.offer(2_000, 5).await);
        let (guest, placed) = bought(market, &[(book, 1), (shoe, 1)], 3_000).await;
        let (first, second) = futures::join!(confirm(&one, &placed), confirm(&one, &placed));
        for done in [first, second, confirm(&one, &placed).await] {
            assert_eq!((codes(&done), &done["sale"]["progress"]), (vec![], &json!("CONFIRMED")));
            assert!(done["sale"]["confirmedAt"].is_string());
        }
        let order = guest.order(&placed).await;
        assert_eq!(timeline(&order)[5..], ["confirmed"]);
        let mut progress = shares(&guest, &placed).await;
        progress.sort();
        assert_eq!(progress, [("CONFIRMED".into(), 0), ("UNSHIPPED".into(), 0)]);
        ship(&one, &placed, pieces(1, 1)).await;
        ship(&two, &placed, pieces(2, 1)).await;
        for shop in [&one, &two] {
            assert_eq!(codes(&confirm(shop, &placed).await), ["ALREADY_SHIPPED"]);
        }
        assert_eq!(timeline(&guest.order(&placed).await)[5..], ["confirmed", "shipped", "shipped"]);
    }

    async fn only_what_is_to_be_sent_is_confirmed_and_by_its_shop(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let unpaid = guest.buy(ASKS_BUYER, 1_000).await;
        assert_eq!(codes(&confirm(&shop, &unpaid).await), ["NOT_FOUND"]);
        let (guest, placed) = bought(market, &[(offer, 1)], 1_000).await;
        assert_eq!(codes(&confirm(&other, &placed).await), ["NOT_FOUND"]);
        assert_eq!(confirm(&shop, &placed).await["sale"]["progress"], "CONFIRMED");
        assert_eq!(codes(&cancel(&guest, &placed).await), [""; 0], "it was not sent yet");
        assert_eq!(codes(&confirm(&shop, &placed).await), ["CANCELLED"]);
    }

    async fn other_shops_and_strangers_touch_nothing(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = bought(market, &[(offer, 1)], 1_000).await;
        assert_eq!(codes(&ship(&other, &placed, pieces(1, 1)).await), ["NOT_FOUND"]);
        assert_eq!(codes(&ship(&other, &placed, pieces(7, 1)).await), ["NOT_FOUND"]);
        assert_eq!(codes(&ship(&shop, &placed, pieces(7, 1)).await), ["LINES_INVALID"]);
        assert_eq!(codes(&ship(&shop, &placed, pieces(1, 0)).await), ["LINES_INVALID"]);
        let shipped = ship(&shop, &placed, pieces(1, 1)).await;
        assert_eq!(codes(&arrived(&other, &shipped).await), ["NOT_FOUND"]);
        let stranger = Buyer::user(market);
        let theirs = json!({ "order": placed["order"], "orderToken": null });
        assert_eq!(codes(&ask_back(&stranger, &theirs, pieces(1, 1)).await), ["NOT_FOUND"]);
        let sales = "{ sales { edges { node { orderId progress contact { city } lines { quantity } } } } }";
        let data = market.data("orders", Some(&shop.seller), sales, json!({})).await;
        let sale = &data["sales"]["edges"][0]["node"];
        assert_eq!((&sale["progress"], &sale["contact"]["city"]), (&json!("SHIPPED"), &json!("Berlin")));
        let data = market.data("orders", Some(&other.seller), sales, json!({})).await;
        assert_eq!(data["sales"]["edges"], json!([]));
        _ = guest;
    }

    async fn a_parcel_that_nobody_speaks_of_has_arrived_after_two_weeks(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = bought(market, &[(offer, 1)], 1_000).await;
        ship(&shop, &placed, pieces(1, 1)).await;
        market.clock.advance(TimeDelta::days(13));
        assert_eq!(sweep(market.env("orders")).await.unwrap(), 0);
        market.clock.advance(TimeDelta::days(1));
        let (one, two) = futures::join!(sweep(market.env("orders")), sweep(market.env("orders")));
        assert!(one.unwrap() + two.unwrap() >= 1);
        market.settle().await;
        assert_eq!(shares(&guest, &placed).await, [("DELIVERED".into(), 0)]);
        assert_eq!(timeline(&guest.order(&placed).await).iter().filter(|kind| **kind == "delivered").count(), 1);
    }

    async fn a_buyer_cancels_what_was_not_sent_and_stock_and_money_are_back(market: &Market) {
        let (one, two) = (Shop::open(market, "One").await, Shop::open(market, "Two").await);
        let (book, shoe) = (one.offer(1_000, 5).await, two.offer(2_000, 5).await);
        let (guest, placed) = bought(market, &[(book, 3), (shoe, 1)], 5_000).await;
        ship(&one, &placed, pieces(1, 1)).await;
        let (first, second) = futures::join!(cancel(&guest, &placed), cancel(&guest, &placed));
        assert!(codes(&first).len() + codes(&second).len() <= 1, "{first} {second}");
        assert_eq!((one.levels(book).await, two.levels(shoe).await), ([4, 0, 4], [5, 0, 5]));
        let back: i64 = shares(&guest, &placed).await.iter().map(|share| share.1).sum();
        assert_eq!(back, 4_000);
        assert_eq!(codes(&cancel(&guest, &placed).await), ["TOO_LATE"]);
        let report = inventory::verify(&market.env("inventory").db).await.unwrap();
        assert!(report.is_right(), "{report}");
    }

    async fn goods_come_back_and_are_paid_back_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let (guest, placed) = bought(market, &[(offer, 3)], 3_000).await;
        assert_eq!(codes(&ask_back(&guest, &placed, pieces(1, 1)).await), ["TOO_MANY"], "nothing was sent");
        let shipped = ship(&shop, &placed, pieces(1, 3)).await;
        arrived(&shop, &shipped).await;
        let asked = ask_back(&guest, &placed, pieces(1, 2)).await;
        let twice = ask_back(&guest, &placed, pieces(1, 2)).await;
        assert_eq!((codes(&twice), &twice["userErrors"][0]["left"]), (vec!["TOO_MANY"], &json!(1)));
        let says = async |mutation: &str, input: Value| {
            let done = call(market, &shop.seller, mutation, "orderReturn { state refundId }", input).await;
            market.settle().await;
            done
        };
        let id = &asked["returnId"];
        assert_eq!(codes(&says("receiveReturn", json!({ "id": id, "restock": true })).await), ["NOT_NOW"]);
        assert_eq!(says("answerReturn", json!({ "id": id, "accept": true })).await["orderReturn"]["state"], "ACCEPTED");
        for _ in 0..2 {
            let received = says("receiveReturn", json!({ "id": id, "restock": true })).await;
            assert_eq!(received["orderReturn"]["state"], "RECEIVED");
        }
        assert_eq!(shares(&guest, &placed).await[0].1, 2_000);
        assert_eq!(shop.levels(offer).await, [4, 0, 4]);
        let rejected = ask_back(&guest, &placed, pieces(1, 1)).await;
        let no = json!({ "id": rejected["returnId"], "accept": false });
        assert_eq!(codes(&says("answerReturn", no).await), ["REASON_INVALID"]);
        let no = json!({ "id": rejected["returnId"], "accept": false, "reason": "worn" });
        assert_eq!(says("answerReturn", no).await["orderReturn"]["state"], "REJECTED");
    }

    async fn money_goes_back_by_the_piece_and_never_more_than_was_paid(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(333, 5).await;
        let (guest, placed) = bought(market, &[(offer, 3)], 999).await;
        let shipped = ship(&shop, &placed, pieces(1, 3)).await;
        arrived(&shop, &shipped).await;
        let back = |quantity: i64| {
            let input = json!({
                "idempotencyKey": key(), "orderId": placed["order"]["id"], "pieces": pieces(1, quantity), "reason": "scratched",
            });
            let seller = Buyer { market, person: Some(shop.seller.clone()), token: None };
            async move { seller.does("refundOrder", "refundId", "line left", input).await }
        };
        let done = futures::future::join_all((0..5).map(|_| back(1))).await;
        let refused = done.iter().filter(|done| codes(done) == ["TOO_MANY"]).count();
        assert_eq!(refused, 2, "{done:#?}");
        market.settle().await;
        assert_eq!(shares(&guest, &placed).await[0].1, 999);
        let refunds = entity::orders::refund::Entity::find().count(market.env("orders").db.read()).await.unwrap();
        assert_eq!(refunds, 3);
        assert_eq!(shop.levels(offer).await, [2, 0, 2], "nothing was put back");
    }
}
