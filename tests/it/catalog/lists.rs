//! Lists: pages and the number of statements.

use catalog::import::{NewOffer, load};
use contract::{CurrencyCode, Money, OfferId};
use entity::catalog::{Condition, offer as row};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

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

/// Lets buyers have some of an offer.
async fn stock(market: &Market, offer: OfferId) {
    let stocked = row::Entity::update_many().col_expr(row::Column::Available, Expr::val(5_i64));
    stocked.filter(row::Column::Id.eq(offer)).exec(market.env("catalog").db.write()).await.unwrap();
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

    async fn lists_by_price_are_complete_in_both_directions(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let env = market.env("catalog");
        // Ten at each of three prices, dearer from another shop as well, one that is sold for dollars only, one not at all.
        let priced = |number: usize, offers: Vec<(contract::SellerId, i64, CurrencyCode)>| {
            let mut listing = listing(number, &ada);
            listing.variants[0].offers = offers.into_iter().map(|(seller, amount_minor, currency)| NewOffer {
                seller, condition: Condition::Good, price: Money { amount_minor, currency },
            }).collect();
            listing
        };
        let (ada_id, bob_id) = (ada.seller.unwrap(), bob.seller.unwrap());
        let euros = |number: usize| 500 + 100 * (number as i64 % 3);
        let mut listings: Vec<_> = (0..30).map(|number| priced(number, vec![
            (ada_id, euros(number), CurrencyCode::EUR), (bob_id, 900 - number as i64, CurrencyCode::EUR),
        ])).collect();
        listings.push(priced(30, vec![(ada_id, 100, CurrencyCode::USD)]));
        listings.push(priced(31, vec![]));
        assert_eq!(load(env, listings).await.unwrap().refused, []);
        let title = |number: usize| format!("Book {number:05}");
        let cheap: Vec<String> = (0..3).flat_map(|rest| (0..10).map(move |some| title(some * 3 + rest))).collect();
        let dear: Vec<String> = cheap.iter().rev().cloned().collect();
        for first in [1, 7, 30] {
            assert_eq!(leaf_through(market, "PRICE_LOW, currency: \"EUR\"", first).await, cheap, "{first}");
            assert_eq!(leaf_through(market, "PRICE_HIGH, currency: \"EUR\"", first).await, dear, "{first}");
        }
        assert_eq!(leaf_through(market, "PRICE_LOW, currency: \"USD\"", 5).await, [title(30)]);
        // What counts is the lowest price among the offers that fit.
        let of_bob = format!("PRICE_LOW, currency: \"EUR\", filter: {{ sellerId: \"{bob_id}\" }}");
        assert_eq!(leaf_through(market, &of_bob, 8).await, (0..30).rev().map(title).collect::<Vec<_>>());
        let range = "PRICE_HIGH, filter: { priceRange: { currency: \"EUR\", minMinor: 600, maxMinor: 600 } }";
        assert_eq!(leaf_through(market, range, 4).await, (0..10).rev().map(|some| title(some * 3 + 1)).collect::<Vec<_>>());
        market.say_seller(&ada, "Ada's", contract::event::accounts::SellerStatus::Suspended, 2).await;
        market.settle().await;
        let without_ada = leaf_through(market, "PRICE_LOW, currency: \"EUR\"", 9).await;
        assert_eq!(without_ada, (0..30).rev().map(title).collect::<Vec<_>>(), "who may not sell has no prices");
    }

    async fn what_is_sold_out_is_told_from_what_is_in_stock(market: &Market) {
        let (ada, bob) = (market.seller("Ada's").await, market.seller("Bob's").await);
        let env = market.env("catalog");
        let mut listings: Vec<_> = (0..4).map(|number| listing(number, &ada)).collect();
        let of_bob = NewOffer { seller: bob.seller.unwrap(), ..listings[1].variants[0].offers[0].clone() };
        listings[1].variants[0].offers.push(of_bob);
        listings[3].variants[0].offers.clear();
        let loaded = load(env, listings).await.unwrap();
        market.settle().await;
        // Ada has some of the first, Bob of the second.
        for offer in [0, 4] {
            stock(market, loaded.offers[offer].offer).await;
        }
        let (ada, bob) = (json!(ada.seller), json!(bob.seller));
        for (filter, books) in [
            (json!({ "inStock": true }), vec![0, 1]),
            (json!({ "inStock": false }), vec![2, 3]),
            (json!({ "inStock": true, "sellerId": ada }), vec![0]),
            (json!({ "inStock": false, "sellerId": ada }), vec![1, 2]),
            (json!({ "inStock": true, "sellerId": bob }), vec![1]),
            (json!({ "inStock": false, "sellerId": bob }), vec![]),
            (json!({ "inStock": false, "priceRange": { "currency": "EUR", "maxMinor": 1002 } }), vec![2]),
        ] {
            let expected: Vec<String> = books.iter().map(|number| format!("Book {number:05}")).collect();
            assert_eq!(titles(market, None, filter.clone()).await, expected, "{filter}");
        }
    }

    async fn pages_that_cannot_be_are_refused(market: &Market) {
        let by_title = ask(market, "{ products(first: 1, sort: TITLE) { pageInfo { endCursor } } }", json!({})).await;
        assert_eq!(by_title["products"]["pageInfo"]["endCursor"], Value::Null);
        for arguments in ["first: 0", "first: 101", "first: -1", "after: \"x\"", "after: \"eyJUaXRsZSI6WyJhIiwiYiJdfQ\""] {
            let answer = market.ask("catalog", None, &format!("{{ products({arguments}) {{ nodes {{ id }} }} }}"), json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{arguments}");
        }
        let ada = market.seller("Ada's").await;
        load(market.env("catalog"), (0..3).map(|number| listing(number, &ada)).collect()).await.unwrap();
        let low = ask(market, "{ products(first: 1, sort: PRICE_LOW, currency: \"EUR\") { pageInfo { endCursor } } }", json!({})).await;
        let cursor = low["products"]["pageInfo"]["endCursor"].as_str().unwrap();
        for arguments in ["sort: PRICE_LOW", "sort: PRICE_HIGH, currency: \"EUR\", after: ", "sort: PRICE_LOW, currency: \"USD\", after: ", "after: "] {
            let after = if arguments.ends_with(' ') { format!("\"{cursor}\"") } else { String::new() };
            let answer = market.ask("catalog", None, &format!("{{ products({arguments}{after}) {{ nodes {{ id }} }} }}"), json!({})).await;
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
