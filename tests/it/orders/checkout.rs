//! Checking out: paid, or typed news of why not, and nothing left behind.

use contract::event::catalog::Publication;
use futures::StreamExt;
use futures::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::*;

souk_test! {
    async fn a_guest_buys_of_two_sellers_and_pays_once(market: &Market) {
        let (one, two) = (Shop::open(market, "One").await, Shop::open(market, "Two").await);
        let (book, shoe) = (one.offer(1_250, 5).await, two.offer(9_000, 5).await);
        let guest = Buyer::guest(market, &[(book, 2), (shoe, 1)]).await;
        let done = guest.buy(VISA, 11_500).await;
        assert_eq!((codes(&done), &done["order"]["status"]), (vec![], &json!("PAID")));
        let shares: Vec<_> = done["order"]["shares"].as_array().unwrap().iter().map(|share| share["total"]["amountMinor"].as_i64().unwrap()).collect();
        assert_eq!(shares.iter().sum::<i64>(), 11_500);
        assert_eq!(shares.len(), 2);
        market.settle().await;
        let order = guest.order(&done).await;
        assert_eq!(timeline(&order), ["placed", "authorising", "capturing", "committing", "settled"]);
        assert_eq!(order["contact"], json!({ "email": "buyer@example.org", "recipient": "A. Buyer", "city": "Berlin" }));
        assert_eq!((one.levels(book).await, two.levels(shoe).await), ([3, 0, 3], [4, 0, 4]));
        assert_eq!(guest.cart().await, Value::Null, "the cart was bought");
    }

    async fn only_the_buyer_and_the_token_see_an_order(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let user = Buyer::user(market);
        user.set(&[(offer, 1)]).await;
        let done = user.buy(VISA, 1_000).await;
        let without = json!({ "order": done["order"], "orderToken": null });
        assert_eq!(user.order(&without).await["id"], done["order"]["id"]);
        let stranger = Buyer::user(market);
        assert_eq!(stranger.order(&without).await, Value::Null);
        let nobody = Buyer { market, person: None, token: None };
        assert_eq!(nobody.order(&done).await["id"], done["order"]["id"]);
        let query = "query($id: ID!) { order(id: $id, orderToken: \"souk_ot_no\") { id } }";
        let answer = market.ask("orders", None, query, json!({ "id": done["order"]["id"] })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        let mine = market.data("orders", user.person.as_ref(), "{ myOrders { edges { node { id } } } }", json!({})).await;
        assert_eq!(mine["myOrders"]["edges"][0]["node"]["id"], done["order"]["id"]);
        let kept = entity::orders::order::Entity::find().one(market.env("orders").db.read()).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&kept.contact_sealed).contains("Berlin"), "personal data is sealed");
    }

    async fn the_same_key_buys_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let input = guest.order_input(VISA, 1_000);
        let (one, two) = futures::join!(guest.checkout(input.clone()), guest.checkout(input.clone()));
        assert_eq!(one["order"]["id"], two["order"]["id"]);
        assert_eq!((&one["order"]["status"], &one["orderToken"]), (&json!("PAID"), &two["orderToken"]));
        let mut other = input;
        other["email"] = json!("else@example.org");
        assert_eq!(codes(&guest.checkout(other).await), ["IDEMPOTENCY_CONFLICT"]);
        market.settle().await;
        assert_eq!(shop.levels(offer).await, [4, 0, 4]);
    }

    async fn the_same_key_buys_once_though_the_cart_is_full_again(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let user = Buyer::user(market);
        user.set(&[(offer, 1)]).await;
        let input = user.order_input(VISA, 1_000);
        let first = user.checkout(input.clone()).await;
        assert_eq!(first["order"]["status"], "PAID");
        user.set(&[(offer, 1)]).await;
        let again = user.checkout(input).await;
        assert_eq!(again["order"]["id"], first["order"]["id"]);
        market.settle().await;
        assert_eq!((user.holds().await.len(), shop.levels(offer).await), (1, [4, 0, 4]));
        assert_eq!(user.buy(VISA, 1_000).await["order"]["status"], "PAID", "with another key the cart is bought");
    }

    async fn those_who_buy_at_once_are_each_told_their_own(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (offer, gone) = (shop.offer(1_000, 50).await, shop.offer(1_000, 1).await);
        let guests = join_all((0..12).map(|_| async { Buyer::guest(market, &[(offer, 1)]).await })).await;
        let late = Buyer::guest(market, &[(gone, 2)]).await;
        let nobody = Buyer { market, person: None, token: Some("souk_ct_nobody".into()) };
        let wrong = guests[0].clone();
        let same = guests[1].order_input(VISA, 1_000);
        let (paid, (late, nobody, cheap, again)) = futures::join!(
            join_all(guests[2..].iter().map(|guest| guest.buy(VISA, 1_000))),
            async {
                futures::join!(
                    late.buy(VISA, 2_000),
                    nobody.buy(VISA, 1_000),
                    wrong.buy(VISA, 999),
                    join_all((0..3).map(|_| guests[1].checkout(same.clone()))),
                )
            }
        );
        let orders: std::collections::BTreeSet<&str> = paid.iter().map(|done| done["order"]["id"].as_str().unwrap()).collect();
        assert!(paid.iter().all(|done| done["order"]["status"] == "PAID"), "{paid:#?}");
        assert_eq!(orders.len(), 10, "each has an order of their own");
        assert_eq!((codes(&late), codes(&nobody), codes(&cheap)), (vec!["SOLD_OUT"], vec!["CART_NOT_FOUND"], vec!["PRICE_CHANGED"]));
        assert!(again.iter().all(|done| done["order"]["id"] == again[0]["order"]["id"] && done["order"]["status"] == "PAID"), "{again:#?}");
        market.settle().await;
        assert_eq!((shop.levels(offer).await, shop.levels(gone).await), ([39, 0, 39], [1, 0, 1]));
        assert_eq!(wrong.buy(VISA, 1_000).await["order"]["status"], "PAID");
    }

    async fn two_keys_at_once_buy_one_cart_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let done = join_all((0..6).map(|_| guest.buy(VISA, 1_000))).await;
        let paid = done.iter().filter(|done| done["order"]["status"] == "PAID").count();
        assert_eq!(paid, 1, "{done:#?}");
        for refused in done.iter().filter(|done| done["order"].is_null()) {
            assert!(matches!(codes(refused)[0], "CHECKING_OUT" | "CART_NOT_FOUND"), "{refused}");
        }
        market.settle().await;
        assert_eq!(shop.levels(offer).await, [4, 0, 4]);
    }

    async fn a_changed_price_is_told_and_nothing_is_bought(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 2)]).await;
        shop.say(offer, eur(1_100), Publication::Published, 2).await;
        market.settle().await;
        let done = guest.buy(VISA, 2_000).await;
        assert_eq!((codes(&done), &done["order"]), (vec!["PRICE_CHANGED", "PRICE_CHANGED"], &Value::Null));
        let errors = &done["userErrors"];
        assert_eq!(errors[0]["price"]["amountMinor"], 2_200);
        assert_eq!((&errors[1]["offerId"], &errors[1]["priceBefore"]["amountMinor"]), (&json!(offer), &json!(1_000)));
        assert_eq!(guest.buy(VISA, 2_200).await["order"]["status"], "PAID");
    }

    async fn a_declined_card_leaves_the_cart_and_the_stock(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 2)]).await;
        let done = guest.buy(DECLINED, 2_000).await;
        assert_eq!((codes(&done), &done["userErrors"][0]["declineCode"]), (vec!["PAYMENT_DECLINED"], &json!("card_declined")));
        assert_eq!((&done["order"]["status"], &done["order"]["cancelReason"]), (&json!("CANCELLED"), &json!("DECLINED")));
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
        assert_eq!(guest.buy(VISA, 2_000).await["order"]["status"], "PAID");
    }

    async fn a_buyer_confirms_with_the_bank_and_the_order_goes_on(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let done = guest.buy(ASKS_BUYER, 1_000).await;
        assert_eq!(codes(&done), ["PAYMENT_NEEDS_ACTION"]);
        assert!(done["userErrors"][0]["clientSecret"].is_string(), "{done}");
        assert_eq!((&done["order"]["status"], &done["order"]["action"]["clientSecret"]), (&json!("NEEDS_ACTION"), &done["userErrors"][0]["clientSecret"]));
        assert_eq!(codes(&guest.set(&[(offer, 2)]).await), ["CHECKING_OUT"]);
        confirm(market, &done, true).await;
        let order = guest.once(&done, "PAID").await;
        assert_eq!(order["action"], Value::Null);
    }

    async fn what_cannot_be_used_is_refused_with_its_field(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let with = async |change: &(dyn Fn(&mut Value) + Sync)| {
            let mut input = guest.order_input(VISA, 1_000);
            change(&mut input);
            let done = guest.checkout(input).await;
            (codes(&done).join(" "), done["userErrors"][0]["field"].clone())
        };
        assert_eq!(with(&|input| input["email"] = json!("nobody")).await, ("EMAIL_INVALID".into(), json!(["input", "email"])));
        let field = json!(["input", "address", "country"]);
        assert_eq!(with(&|input| input["address"]["country"] = json!("Germany")).await, ("ADDRESS_INVALID".into(), field));
        assert_eq!(with(&|input| input["address"]["city"] = json!(" ")).await.0, "ADDRESS_INVALID");
        assert_eq!(with(&|input| input["paymentMethod"] = json!("")).await.0, "PAYMENT_METHOD_INVALID");
        assert_eq!(with(&|input| input["cartToken"] = json!("souk_ct_no")).await.0, "CART_NOT_FOUND");
        assert_eq!(with(&|input| input["expectedTotal"]["currency"] = json!("USD")).await.0, "PRICE_CHANGED");
        assert_eq!(shop.levels(offer).await, [5, 0, 5]);
    }

    async fn a_hundred_buyers_of_ten_pieces_are_ten_orders_and_ninety_refusals(market: &Market) {
        let shop = Shop::open(market, "Hot").await;
        let offer = shop.offer(1_000, 10).await;
        let guests = join_all((0..100).map(|_| async { Buyer::guest(market, &[(offer, 1)]).await })).await;
        let done = join_all(guests.iter().map(|guest| guest.buy(VISA, 1_000))).await;
        let paid = done.iter().filter(|done| done["order"]["status"] == "PAID").count();
        let refused = done.iter().filter(|done| codes(done) == ["SOLD_OUT"] && done["userErrors"][0]["available"] == 0).count();
        assert_eq!((paid, refused), (10, 90), "{done:#?}");
        market.settle().await;
        assert_eq!(shop.levels(offer).await, [0, 0, 0]);
        let report = inventory::verify(&market.env("inventory").db).await.unwrap();
        assert!(report.is_right(), "{report}");
    }

    async fn an_order_that_costs_nothing_asks_for_no_money(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(0, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let done = guest.buy(DECLINED, 0).await;
        assert_eq!(done["order"]["status"], "PAID");
        market.settle().await;
        assert_eq!(timeline(&guest.order(&done).await), ["placed", "committing", "settled"]);
    }

    async fn every_step_is_streamed_with_its_sequence(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let offer = shop.offer(1_000, 5).await;
        let guest = Buyer::guest(market, &[(offer, 1)]).await;
        let mut input = guest.order_input(VISA, 1_000);
        input["waitMs"] = json!(0);
        let placed = guest.checkout(input).await;
        let query = "subscription($id: ID!, $token: String) { orderUpdated(id: $id, orderToken: $token) { sequence event { kind } order { status } } }";
        let variables = json!({ "id": placed["order"]["id"], "token": placed["orderToken"] });
        let mut steps = market.subscribe("orders", None, query, variables.clone());
        let mut seen = vec![];
        while seen.last().is_none_or(|(_, kind)| kind != "settled") {
            let step = tokio::time::timeout(std::time::Duration::from_secs(20), steps.next()).await.unwrap().unwrap();
            let step = &step["data"]["orderUpdated"];
            seen.push((step["sequence"].as_i64().unwrap(), step["event"]["kind"].as_str().unwrap().to_owned()));
        }
        let kinds = ["placed", "authorising", "capturing", "committing", "settled"];
        let expected: Vec<_> = (1..).zip(kinds).map(|(sequence, kind)| (sequence, kind.to_owned())).collect();
        assert_eq!(seen, expected);
        let stranger = json!({ "id": placed["order"]["id"], "token": "souk_ot_no" });
        let refused = market.subscribe("orders", None, query, stranger).next().await.unwrap();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
