//! How many SQL statements a page costs: few, and as many for a long page as for a short one.

use serde_json::json;

use super::*;
use crate::support::goods::Goods;

/// Products, variants, lowest offers and sellers in catalog and accounts, stock in inventory.
const STATEMENTS: u64 = 5;

souk_test! {
    async fn a_page_costs_the_same_few_statements_whatever_its_length(market: &Market) {
        let seller = market.seller("Counted").await;
        for number in 0..12 {
            Goods::stock(market, &seller, &format!("Counted {number}"), 3).await;
        }
        let site = Site::open(market, Subgraphs::InProcess).await;
        for first in [2, 12] {
            assert_eq!(statements(market, &site, first).await, STATEMENTS, "a page of {first}");
        }
        site.close().await;
    }
}

/// The least of several tries: relays ask now and then, too.
async fn statements(market: &Market, site: &Site, first: i64) -> u64 {
    let query = "query($first: Int) { products(first: $first) { edges { node { id title variants { id sku lowestOffer \
        { id price { amountMinor } seller { name } } stock { available } } } } } }";
    let all = || market.souk.services.iter().map(|service| service.env.db.statements()).sum::<u64>();
    let mut least = u64::MAX;
    for _ in 0..5 {
        let before = all();
        let answer = site.ask(None, query, json!({ "first": first })).await;
        assert_eq!(
            answer["data"]["products"]["edges"].as_array().map(Vec::len),
            Some(first as usize),
            "{answer}"
        );
        least = least.min(all() - before);
    }
    least
}
