//! Search through the router: what is found by the index shows what other services know of it now.

use serde_json::json;

use super::*;
use crate::search::{caught_up, follow};
use crate::support::goods::Goods;

souk_test! {
    async fn a_hit_shows_its_price_and_stock_of_now(market: &Market) {
        let seller = market.seller("Kicks").await;
        follow(&market.souk);
        Goods::stock(market, &seller, "Found Shoe", 3).await;
        caught_up(market).await;
        let site = Site::open(market, Subgraphs::InProcess).await;
        let query = "{ search(query: \"fuond shoe\", filter: { inStock: true }) { totalCount nodes { title lowestOffer { price { amountMinor } }
            variants { stock { available } } } facets { categories { category { name } count } inStock } } }";
        let answer = site.ask(None, query, json!({})).await;
        assert_eq!(answer["data"]["search"], json!({
            "totalCount": 1,
            "nodes": [{ "title": "Found Shoe", "lowestOffer": { "price": { "amountMinor": 1250 } }, "variants": [{ "stock": { "available": 3 } }] }],
            "facets": { "categories": [{ "category": { "name": "Goods" }, "count": 1 }], "inStock": 1 },
        }));
        site.close().await;
    }
}
