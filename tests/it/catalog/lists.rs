//! Lists: pages and the number of statements.

use catalog::import::load;

use super::load::listing;
use super::*;

/// Every title that paging through `products` shows, `first` at a time.
async fn leaf_through(market: &Market, sort: &str, first: usize) -> Vec<String> {
    let query = format!(
        "query($after: String) {{ products(sort: {sort}, first: {first}, after: $after) {{
            nodes {{ title }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut all, mut after) = (vec![], Value::Null);
    loop {
        let mut page = ask(market, &query, json!({ "after": after })).await["products"].take();
        all.extend(
            page["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

souk_test! {
    async fn pages_are_complete_and_stable(market: &Market) {
        let ada = market.seller("Ada's").await;
        let env = market.env("catalog");
        load(env, (0..45).map(|number| listing(number, &ada)).collect()).await.unwrap();
        let mut all: Vec<_> = (0..45).map(|number| format!("Book {number:05}")).collect();
        assert_eq!(leaf_through(market, "TITLE", 7).await, all);
        all.reverse();
        assert_eq!(leaf_through(market, "NEWEST", 20).await, all);
        let query = "query($after: String) { products(first: 20, after: $after) { nodes { title } pageInfo { endCursor } } }";
        let first = ask(market, query, json!({})).await;
        load(env, vec![listing(45, &ada)]).await.unwrap();
        let second = ask(market, query, json!({ "after": first["products"]["pageInfo"]["endCursor"] })).await;
        assert_eq!(second["products"]["nodes"][0]["title"], all[20], "a new product moves nothing");
    }

    async fn pages_that_cannot_be_are_refused(market: &Market) {
        let by_title = ask(market, "{ products(first: 1, sort: TITLE) { pageInfo { endCursor } } }", json!({})).await;
        assert_eq!(by_title["products"]["pageInfo"]["endCursor"], Value::Null);
        for arguments in ["first: 0", "first: 101", "first: -1", "after: \"x\"", "after: \"eyJUaXRsZSI6WyJhIiwiYiJdfQ\""] {
            let answer = market.ask("catalog", None, &format!("{{ products({arguments}) {{ nodes {{ id }} }} }}"), json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{arguments}");
        }
    }

    async fn a_forged_cursor_is_refused(market: &Market) {
        use base64::Engine as _;
        let cursor = |key: Value| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(key.to_string());
        let id = "00000000000000000000000000";
        let (text, title) = (cursor(json!("\0")), cursor(json!({ "Title": ["\0", format!("prd_{id}")] })));
        for list in [
            format!("products(sort: TITLE, after: \"{title}\")"),
            format!("brands(after: \"{text}\")"),
            format!("categories(after: \"{text}\")"),
            format!("attributeDefinitions(after: \"{text}\")"),
        ] {
            let answer = market.ask("catalog", None, &format!("{{ {list} {{ pageInfo {{ endCursor }} }} }}"), json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{list}: {answer}");
        }
        for filter in [json!({ "brand": "\0" }), json!({ "attributes": [{ "name": "\0", "text": "a" }] })] {
            let query = "query($filter: ProductFilter) { products(filter: $filter) { nodes { id } } }";
            let answer = market.ask("catalog", None, query, json!({ "filter": filter })).await;
            assert_ne!(answer["errors"][0]["extensions"]["code"], "INTERNAL");
        }
    }

    async fn the_number_of_statements_does_not_depend_on_the_page(market: &Market) {
        let ada = market.seller("Ada's").await;
        let env = market.env("catalog");
        load(env, (0..100).map(|number| listing(number, &ada)).collect()).await.unwrap();
        market.settle().await;
        market.souk.tasks.stop().await;
        for (fields, statements) in [
            ("variants { lowestOffer { price { amountMinor } seller { id } } } lowestOffer { id }", 4),
            ("variants { offers(first: 2) { nodes { priceHistory(first: 1) { nodes { since } } product { id } variant { id } } } }", 6),
            ("images { url } attributes { label } categories { ancestors { name } products(first: 3) { nodes { id } } }", 8),
        ] {
            for first in [1, 20, 100] {
                let before = env.db.statements();
                ask(market, &format!("{{ products(first: {first}) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
                assert_eq!(env.db.statements() - before, statements, "{first} of {fields}");
            }
        }
    }

    async fn filters_hold_together(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let env = market.env("catalog");
        load(env, (0..14).map(|number| listing(number, if number < 10 { &ada } else { &bob })).collect()).await.unwrap();
        draft(market, &ada, "Draft").await;
        assert_eq!(titles(market, None, json!({ "brand": "AUTHOR 3" })).await, ["Book 00003", "Book 00010"]);
        assert_eq!(titles(market, None, json!({ "brand": "author 3", "sellerId": bob.seller })).await, ["Book 00010"]);
        let range = json!({ "priceRange": { "currency": "EUR", "minMinor": 1002, "maxMinor": 1003 } });
        assert_eq!(titles(market, None, range).await, ["Book 00002", "Book 00003"]);
        assert!(titles(market, None, json!({ "priceRange": { "currency": "USD" } })).await.is_empty());
        assert_eq!(titles(market, Some(&ada), json!({ "publication": "DRAFT" })).await, ["Draft"]);
        assert!(titles(market, Some(&bob), json!({ "publication": "DRAFT" })).await.is_empty());
        assert_eq!(titles(market, Some(&market.admin()), json!({ "publication": "DRAFT" })).await, ["Draft"]);
        let query = "{ products(filter: { publication: DRAFT }) { nodes { id } } }";
        assert_eq!(market.ask("catalog", None, query, json!({})).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
