//! Carts of guests and users.

use chrono::TimeDelta;
use contract::event::catalog::Publication;
use contract::{CurrencyCode, OfferId};
use entity::orders::cart;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::*;

souk_test! {
    async fn a_guest_gets_a_cart_and_only_its_token_opens_it(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 2)]).await;
        assert_eq!(guest.holds().await, [(offer.to_string(), 2)]);
        let cart = guest.cart().await;
        assert_eq!((&cart["lines"][0]["priceNow"]["amountMinor"], &cart["lines"][0]["available"]), (&json!(1_000), &json!(5)));
        let stranger = Buyer { token: Some(format!("{}x", guest.token.clone().unwrap())), ..guest.clone() };
        assert_eq!(stranger.cart().await, Value::Null);
        assert_eq!(codes(&stranger.set(&[(offer, 1)]).await), ["CART_NOT_FOUND"]);
        let nobody = Buyer { token: None, ..guest.clone() };
        assert_eq!(nobody.cart().await, Value::Null);
        let kept = cart::Entity::find().one(market.env("orders").db.read()).await.unwrap().unwrap();
        assert_eq!(kept.token_hash.map(|hash| hash.len()), Some(32), "the token itself is kept nowhere");
    }

    async fn lines_are_set_changed_and_taken_out_however_often_it_is_said(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (one, other) = (shop.offer(1_000, 5).await, shop.offer(500, 5).await);
        let user = Buyer::user(market);
        user.set(&[(one, 2), (other, 1)]).await;
        user.set(&[(one, 3)]).await;
        user.set(&[(one, 3)]).await;
        assert_eq!(user.holds().await, [(one.to_string(), 3), (other.to_string(), 1)]);
        user.set(&[(one, 0)]).await;
        user.set(&[(one, 0)]).await;
        assert_eq!(user.holds().await, [(other.to_string(), 1)]);
    }

    async fn ten_devices_at_once_share_one_cart(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let mut offers = vec![];
        for _ in 0..10 {
            offers.push(shop.offer(100, 1).await);
        }
        let user = Buyer::user(market);
        let lines: Vec<_> = offers.iter().map(|offer| [(*offer, 1)]).collect();
        let set = futures::future::join_all(lines.iter().map(|line| user.set(line))).await;
        assert!(set.iter().all(|done| done["userErrors"] == json!([])), "{set:?}");
        assert_eq!(user.holds().await.len(), 10);
    }

    async fn bad_lines_are_refused_with_their_place(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let draft = OfferId::new();
        shop.say(draft, eur(100), Publication::Draft, 1).await;
        market.settle().await;
        let user = Buyer::user(market);
        for quantity in [-1, 1_001, 9_007_199_254_740_991] {
            let set = user.set(&[(offer, 1), (offer, quantity)]).await;
            assert_eq!(codes(&set), ["QUANTITY_OUT_OF_RANGE"]);
            assert_eq!(set["userErrors"][0]["field"], json!(["input", "lines", "1", "quantity"]));
        }
        assert_eq!(codes(&user.set(&[(OfferId::new(), 1)]).await), ["OFFER_NOT_FOUND"]);
        assert_eq!(codes(&user.set(&[(draft, 1)]).await), ["OFFER_NOT_FOUND"]);
        assert_eq!(codes(&user.set(&[]).await), ["LINES_OUT_OF_RANGE"]);
        assert_eq!(codes(&user.set(&[(offer, 1); 51]).await), ["LINES_OUT_OF_RANGE"]);
        assert_eq!(user.holds().await, []);
    }

    async fn currencies_do_not_mix_and_the_lines_are_named(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (euros, dollars) = (shop.offer(100, 1).await, shop.offer_in(CurrencyCode::USD, 100, 1).await);
        let user = Buyer::user(market);
        user.set(&[(euros, 1)]).await;
        let set = user.set(&[(dollars, 1)]).await;
        assert_eq!(codes(&set), ["MIXED_CURRENCIES", "MIXED_CURRENCIES"]);
        let named: Vec<_> = set["userErrors"].as_array().unwrap().iter().map(|error| (&error["offerId"], &error["currency"])).collect();
        assert_eq!(named, [(&json!(euros), &json!("EUR")), (&json!(dollars), &json!("USD"))]);
        assert_eq!(user.holds().await, [(euros.to_string(), 1)]);
    }

    async fn signing_in_merges_the_guests_cart_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (both, new) = (shop.offer(1_000, 9).await, shop.offer(500, 9).await);
        let guest = Buyer::guest(market, &[(both, 2), (new, 1)]).await;
        let user = Buyer::user(market);
        user.set(&[(both, 3)]).await;
        let input = json!({ "cartToken": guest.token });
        let (one, two) = futures::join!(
            user.does("mergeCart", "cart { id }", "", input.clone()),
            user.does("mergeCart", "cart { id }", "", input.clone())
        );
        assert_eq!((codes(&one), codes(&two)), (vec![], vec![]));
        assert_eq!(user.holds().await, [(both.to_string(), 5), (new.to_string(), 1)]);
        assert_eq!(guest.cart().await, Value::Null, "the guest's token opens nothing any more");
        let thief = Buyer::user(market);
        assert_eq!(codes(&thief.does("mergeCart", "cart { id }", "", input).await), ["CART_NOT_FOUND"]);
    }

    async fn a_merge_that_cannot_be_leaves_both_carts_as_they_were(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (euros, dollars) = (shop.offer(100, 1).await, shop.offer_in(CurrencyCode::USD, 100, 1).await);
        let guest = Buyer::guest(market, &[(dollars, 1)]).await;
        let user = Buyer::user(market);
        user.set(&[(euros, 1)]).await;
        let merged = user.does("mergeCart", "cart { id }", "", json!({ "cartToken": guest.token })).await;
        assert_eq!(codes(&merged), ["MIXED_CURRENCIES"]);
        assert_eq!(guest.holds().await, [(dollars.to_string(), 1)]);
        assert_eq!(user.holds().await, [(euros.to_string(), 1)]);
    }

    async fn a_guests_cart_goes_when_nobody_comes_back(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(100, 1).await;
        let (old, user) = (Buyer::guest(market, &[(offer, 1)]).await, Buyer::user(market));
        user.set(&[(offer, 1)]).await;
        market.clock.advance(TimeDelta::days(31));
        let young = Buyer::guest(market, &[(offer, 1)]).await;
        ::orders::cart::sweep(market.env("orders")).await.unwrap();
        assert_eq!(old.cart().await, Value::Null);
        assert_eq!(young.holds().await.len(), 1);
    }
}
