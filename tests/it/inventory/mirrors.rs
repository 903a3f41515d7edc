//! What inventory knows of offers and sellers, whatever the order in which it hears.

use chassis::outbox::{self, about};
use chassis::tx;
use contract::event::accounts::SellerStatus;
use contract::event::catalog::{Publication, VariantChanged};
use contract::{OfferId, ProductId, VariantId};
use entity::inventory::variant as mirror;
use sea_orm::EntityTrait;
use serde_json::json;

use super::Shop;
use crate::support::Market;

/// Says as catalog would by which number a variant is known.
async fn say_number(market: &Market, variant_id: VariantId, sku: &str, version: i64) {
    let said = VariantChanged { variant_id, product_id: ProductId::new(), sku: Some(sku.into()), gtin: None };
    let now = market.clock.now();
    tx::apply(&market.env("catalog").db, async |tx| {
        outbox::say(tx, now, about("variant", variant_id, version), said).await
    })
    .await
    .unwrap();
}

async fn variant_stock(market: &Market, variant: VariantId) -> (i64, i64) {
    let query = "query($of: [_Any!]!) { _entities(representations: $of) { ... on Variant { stock { available offersInStock } } } }";
    let of = json!([{ "__typename": "Variant", "id": variant }]);
    let data = market.data("inventory", None, query, json!({ "of": of })).await;
    let stock = &data["_entities"][0]["stock"];
    (stock["available"].as_i64().unwrap(), stock["offersInStock"].as_i64().unwrap())
}

souk_test! {
    async fn a_variants_stock_is_that_of_published_offers_of_verified_sellers(market: &Market) {
        let (shop, other) = (Shop::open(market, "Shop").await, Shop::open(market, "Other").await);
        let variant = VariantId::new();
        let published = shop.offer_of(variant, Publication::Published).await;
        let empty = shop.offer_of(variant, Publication::Published).await;
        let draft = shop.offer_of(variant, Publication::Draft).await;
        let others = other.offer_of(variant, Publication::Published).await;
        for (shop, offer, quantity) in [(&shop, published, 5), (&shop, draft, 7), (&other, others, 11)] {
            shop.does("receiveStock", shop.at(offer, json!({ "quantity": quantity }))).await;
        }
        assert_eq!(variant_stock(market, variant).await, (16, 2));
        market.say_seller(&other.seller, "Other", SellerStatus::Suspended, 2).await;
        shop.say_offer(draft, variant, Publication::Published, 2).await;
        market.settle().await;
        assert_eq!(variant_stock(market, variant).await, (12, 2));
        assert_eq!(shop.levels(empty).await, [0, 0, 0]);
        assert_eq!(variant_stock(market, VariantId::new()).await, (0, 0));
    }

    async fn what_is_older_than_the_mirror_changes_nothing(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        let (offer, variant) = (OfferId::new(), VariantId::new());
        shop.say_offer(offer, variant, Publication::Published, 3).await;
        market.settle().await;
        shop.does("receiveStock", shop.at(offer, json!({ "quantity": 5 }))).await;
        shop.say_offer(offer, variant, Publication::Archived, 2).await;
        market.say_seller(&shop.seller, "Shop", SellerStatus::Pending, 0).await;
        market.settle().await;
        assert_eq!(variant_stock(market, variant).await, (5, 1));
        shop.say_offer(offer, variant, Publication::Archived, 4).await;
        market.settle().await;
        assert_eq!(variant_stock(market, variant).await, (0, 0));
    }

    async fn an_older_number_of_a_variant_is_not_believed(market: &Market) {
        let variant = VariantId::new();
        for (sku, version) in [("NEW", 3), ("OLD", 2), ("NEWEST", 4), ("NEW", 3)] {
            say_number(market, variant, sku, version).await;
            market.settle().await;
        }
        let known = mirror::Entity::find_by_id(variant).one(market.env("inventory").db.read()).await.unwrap();
        assert_eq!(known.and_then(|variant| variant.sku), Some("NEWEST".into()));
    }

    async fn an_offer_made_a_moment_ago_can_be_stocked_at_once(market: &Market) {
        let shop = Shop::open(market, "Shop").await;
        for _ in 0..5 {
            let offer = shop.offer_of(VariantId::new(), Publication::Draft).await;
            assert_eq!(shop.refusal("receiveStock", shop.at(offer, json!({ "quantity": 5 }))).await, "done");
        }
    }
}
