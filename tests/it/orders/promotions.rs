//! Promotions: what they take off, and that no limit is passed, however many come at once.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;

use super::*;

async fn promote(market: &Market, by: &Person, more: Value) -> Value {
    let mut input = json!({
        "idempotencyKey": key(), "name": "Sale", "benefit": "PERCENT", "value": 1_000, "currency": "EUR",
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(market, by, "createPromotion", "promotionId", input).await
}

async fn code(buyer: &Buyer<'_>, code: &str) -> Value {
    let input = json!({ "cartToken": buyer.token, "code": code });
    buyer.does("setCartPromotion", "cart { promotionCode }", "", input).await
}

souk_test! {
    async fn a_code_takes_off_what_it_says_while_it_runs(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let ends = market.clock.now() + TimeDelta::days(1);
        let made = promote(market, &market.admin(), json!({ "code": "ten", "endsAt": ends })).await;
        assert_eq!(codes(&made), [""; 0]);
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        assert_eq!(codes(&code(&guest, "TWENTY").await), ["CODE_UNKNOWN"]);
        assert_eq!(code(&guest, " Ten ").await["cart"]["promotionCode"], "TEN");
        assert_eq!(guest.price("DE").await, [1_000, 100, 0, 0, 900]);
        market.clock.advance(TimeDelta::days(1));
        let quote = guest.quote("DE").await;
        assert_eq!((codes(&quote), &quote["userErrors"][0]["promotionCode"]), (vec!["PROMOTION_EXPIRED"], &json!("TEN")));
        assert_eq!(codes(&guest.buy(VISA, 900).await), ["PROMOTION_EXPIRED"]);
    }

    async fn a_sellers_promotion_is_for_their_own_goods(market: &Market) {
        let (one, other) = (Shop::open(market, "One").await, Shop::open(market, "Other").await);
        let (mine, theirs) = (one.offer(1_000, 5).await, other.offer(1_000, 5).await);
        promote(market, &one.seller, json!({ "value": 5_000 })).await;
        let guest = Buyer::guest(market, &[(mine, 1), (theirs, 1)]).await;
        assert_eq!(guest.price("DE").await, [2_000, 500, 0, 0, 1_500]);
        let foreign = promote(market, &one.seller, json!({ "sellerId": other.seller.seller })).await;
        assert_eq!(codes(&foreign), ["SELLER_NOT_FOUND"]);
    }

    async fn ten_uses_are_ten_however_many_buy_at_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 100).await;
        promote(market, &market.admin(), json!({ "code": "FIRST", "usesMax": 10 })).await;
        let mut guests = vec![];
        for _ in 0..30 {
            let guest = Buyer::guest(market, &[(offer, 1)]).await;
            code(&guest, "FIRST").await;
            guests.push(guest);
        }
        let bought = join_all(guests.iter().map(|guest| guest.buy(VISA, 900))).await;
        let paid = bought.iter().filter(|done| done["order"]["status"] == "PAID").count();
        let refused = bought.iter().filter(|done| codes(done) == ["PROMOTION_EXPIRED"]).count();
        assert_eq!((paid, refused), (10, 20), "{bought:#?}");
    }

    async fn an_order_that_comes_to_nothing_gives_its_use_back(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 9).await;
        promote(market, &market.admin(), json!({ "code": "ONCE", "usesMax": 1, "usesPerBuyerMax": 1 })).await;
        let user = Buyer::user(market);
        user.set(&[(offer, 1)]).await;
        code(&user, "ONCE").await;
        assert_eq!(codes(&user.buy(DECLINED, 900).await), ["PAYMENT_DECLINED"]);
        assert_eq!(user.buy(VISA, 900).await["order"]["status"], "PAID");
        user.set(&[(offer, 1)]).await;
        assert_eq!(codes(&code(&user, "ONCE").await), ["CODE_UNKNOWN"]);
    }

    async fn a_limit_per_buyer_is_for_those_who_sign_in(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 9).await;
        promote(market, &market.admin(), json!({ "usesPerBuyerMax": 1 })).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        assert_eq!(guest.price("DE").await[4], 1_000);
        let user = Buyer::user(market);
        user.set(&[(offer, 1)]).await;
        assert_eq!(user.buy(VISA, 900).await["order"]["status"], "PAID");
        user.set(&[(offer, 1)]).await;
        assert_eq!(user.price("DE").await[4], 1_000, "once is once");
    }
}
