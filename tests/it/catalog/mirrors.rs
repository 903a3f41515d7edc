//! What catalog knows from others: stock and sellers.

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::accounts::SellerStatus;
use contract::event::inventory::StockChanged;

use super::*;

/// Says as inventory would how much of an offer is available.
async fn say_stock(
    market: &Market,
    by: &Person,
    offer: &Value,
    variant: &Value,
    available: i64,
    sequence: i64,
) {
    let said = StockChanged {
        offer_id: offer["id"].as_str().unwrap().parse().unwrap(),
        variant_id: variant["id"].as_str().unwrap().parse().unwrap(),
        seller_id: by.seller.unwrap(),
        on_hand: available,
        reserved: 0,
        available,
        sequence,
    };
    let now = market.clock.now();
    tx::apply(&market.env("inventory").db, async |tx| {
        outbox::say(tx, now, about("stock_level", said.offer_id, sequence), said.clone()).await
    })
    .await
    .unwrap();
    market.settle().await;
}

async fn lowest(market: &Market, product: &Value) -> Value {
    let query = "query($id: ID!) { product(id: $id) { lowestOffer { price { amountMinor } } variants { lowestOffer { price { amountMinor } } } } }";
    let found = ask(market, query, json!({ "id": product["id"] })).await["product"].take();
    assert_eq!(found["lowestOffer"], found["variants"][0]["lowestOffer"]);
    found["lowestOffer"]["price"]["amountMinor"].clone()
}

souk_test! {
    async fn the_lowest_offer_is_in_stock_before_out_of_stock(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (product, variant) = published(market, &ada, "Lamp").await;
        let dear = offer(market, &ada, &variant, "NEW", 1000).await;
        offer(market, &bob, &variant, "NEW", 900).await;
        assert_eq!(lowest(market, &product).await, 900);
        assert!(titles(market, None, json!({ "inStock": true })).await.is_empty());
        say_stock(market, &ada, &dear, &variant, 3, 5).await;
        assert_eq!(lowest(market, &product).await, 1000);
        assert_eq!(titles(market, None, json!({ "inStock": true })).await, ["Lamp"]);
        let range = |max: i64| json!({ "inStock": true, "priceRange": { "currency": "EUR", "maxMinor": max } });
        assert_eq!(titles(market, None, range(1000)).await, ["Lamp"]);
        assert!(titles(market, None, range(950)).await.is_empty(), "one offer must be both");
        say_stock(market, &ada, &dear, &variant, 0, 6).await;
        assert_eq!(lowest(market, &product).await, 900);
        say_stock(market, &ada, &dear, &variant, 9, 4).await;
        assert_eq!(lowest(market, &product).await, 900, "what is older is not believed");
    }

    async fn offers_of_a_suspended_seller_cannot_be_bought(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let (product, variant) = published(market, &ada, "Lamp").await;
        offer(market, &ada, &variant, "NEW", 1000).await;
        let cheap = offer(market, &bob, &variant, "NEW", 900).await;
        market.say_seller(&bob, "Bob's", SellerStatus::Suspended, 3).await;
        market.settle().await;
        assert_eq!(lowest(market, &product).await, 1000);
        assert_eq!(ask(market, "query($id: ID!) { offer(id: $id) { id } }", json!({ "id": cheap["id"] })).await["offer"], Value::Null);
        assert_eq!(refused(market, &bob, "changeOffer", "offer", seen(&cheap)).await, ["SELLER_NOT_VERIFIED"]);
        market.say_seller(&bob, "Bob's", SellerStatus::Verified, 2).await;
        market.settle().await;
        assert_eq!(lowest(market, &product).await, 1000, "what is older is not believed");
        market.say_seller(&bob, "Bob's", SellerStatus::Verified, 4).await;
        market.settle().await;
        assert_eq!(lowest(market, &product).await, 900);
    }

    async fn others_hear_of_every_change(market: &Market) {
        let ada = market.seller("Ada's").await;
        let mut said = market.env("catalog").db.said();
        let (_, variant) = published(market, &ada, "Lamp").await;
        offer(market, &ada, &variant, "NEW", 1000).await;
        let mut heard = vec![];
        while let Ok(event) = said.try_recv() {
            heard.push((event.event.kind(), event.aggregate.kind.clone(), event.aggregate.version));
        }
        assert_eq!(heard, [
            ("catalog.product_changed", "product".to_owned(), 1),
            ("catalog.variant_changed", "variant".into(), 1),
            ("catalog.product_changed", "product".into(), 2),
            ("catalog.offer_changed", "offer".into(), 1),
            ("catalog.offer_changed", "offer".into(), 2),
        ]);
    }
}
