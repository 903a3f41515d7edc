//! Pages of what is found: complete, stable, and cheap.

use super::*;

const SORTS: [&str; 6] = ["RELEVANCE", "NEWEST", "RELEASED", "BEST_RATED", "PRICE_LOW", "PRICE_HIGH"];

/// So many things called `Thing`, at three prices.
async fn things(market: &Market, count: usize) -> Person {
    let ada = market.seller("Ada's").await;
    let listings = (0..count).map(|number| {
        let mut goods = Goods::titled("Thing");
        goods.offers[0].2 = 1_000 + number as i64 % 3;
        NewListing { title: format!("Thing {number:03}"), ..goods.listing(&ada) }
    });
    load(market.env("catalog"), listings.collect()).await.unwrap();
    caught_up(market).await;
    ada
}

/// Every title that paging shows.
async fn leaf_through(market: &Market, sort: &str, first: usize) -> Vec<String> {
    let query = format!(
        "query($after: String) {{ search(query: \"thing\", sort: {sort}, currency: \"USD\", first: {first}, after: $after) {{
            nodes {{ title }} edges {{ cursor }} totalCount pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut all, mut after) = (vec![], Value::Null);
    loop {
        let mut page = ask(market, &query, json!({ "after": after })).await["search"].take();
        assert_eq!(page["totalCount"], 45);
        all.extend(titles(&page["nodes"]));
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

souk_test! {
    async fn pages_are_complete_in_every_order(market: &Market) {
        follow(&market.souk);
        things(market, 45).await;
        for sort in SORTS {
            let whole = leaf_through(market, sort, 100).await;
            let mut distinct = whole.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), 45, "{sort}");
            for first in [1, 7, 45] {
                assert_eq!(leaf_through(market, sort, first).await, whole, "{sort} by {first}");
            }
        }
    }

    async fn orders_are_what_they_say(market: &Market) {
        let ada = market.seller("Ada's").await;
        follow(&market.souk);
        let rated = |title, price, released: &str, rating: &str, ratings: &str| {
            let mut goods = Goods::titled(title);
            goods.offers[0].2 = price;
            let number = |text: &str| Attribute::Number(text.parse().unwrap());
            let mut listing = goods.listing(&ada);
            listing.attributes = vec![
                Named { name: "released".into(), value: Attribute::Text(released.into()) },
                Named { name: "rating".into(), value: number(rating) },
                Named { name: "ratings_count".into(), value: number(ratings) },
            ];
            listing
        };
        for listing in [
            rated("Best", 300, "2001-01-01", "4.9", "100000"),
            rated("Lucky", 100, "2003-01-01", "5", "1"),
            rated("Known", 200, "2002-01-01", "4.0", "900000"),
        ] {
            load(market.env("catalog"), vec![listing]).await.unwrap();
        }
        caught_up(market).await;
        for (sort, order) in [
            ("RELEVANCE", ["Known", "Best", "Lucky"]),
            ("NEWEST", ["Known", "Lucky", "Best"]),
            ("RELEASED", ["Lucky", "Known", "Best"]),
            ("BEST_RATED", ["Best", "Known", "Lucky"]),
            ("PRICE_LOW", ["Lucky", "Known", "Best"]),
            ("PRICE_HIGH", ["Best", "Known", "Lucky"]),
        ] {
            assert_eq!(found(market, &format!("sort: {sort}, currency: \"USD\"")).await, order, "{sort}");
        }
        let filter = "filter: { releasedFrom: \"2002-01-01\", releasedTo: \"2002-12-31\" }";
        assert_eq!(found(market, filter).await, ["Known"]);
    }

    async fn what_changes_elsewhere_moves_no_page(market: &Market) {
        follow(&market.souk);
        let ada = things(market, 45).await;
        let query = "query($after: String) { search(query: \"thing\", first: 20, after: $after) { nodes { title } pageInfo { endCursor } } }";
        let first = ask(market, query, json!({})).await["search"].take();
        let second = ask(market, query, json!({ "after": first["pageInfo"]["endCursor"] })).await["search"].take();
        sell(market, &ada, &[Goods::titled("Thing of others"), Goods::titled("Some other thing"), Goods::titled("Nothing")]).await;
        let again = ask(market, query, json!({ "after": first["pageInfo"]["endCursor"] })).await["search"].take();
        assert_eq!(again["nodes"], second["nodes"]);
    }

    async fn pages_that_cannot_be_are_refused(market: &Market) {
        follow(&market.souk);
        things(market, 3).await;
        let newest = ask(market, "{ search(sort: NEWEST, first: 1) { pageInfo { endCursor } } }", json!({})).await;
        let cursor = newest["search"]["pageInfo"]["endCursor"].as_str().unwrap();
        for arguments in [
            "first: 0", "first: 101", "after: \"x\"", "sort: PRICE_LOW", "filter: { attributes: [{ name: \"year\", min: 1 }] }",
            "filter: { attributes: [{ name: \"color\" }] }", &format!("sort: RELEVANCE, after: \"{cursor}\""),
        ] {
            let answer = market.ask("catalog", None, &format!("{{ search({arguments}) {{ totalCount }} }}"), json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{arguments}: {answer}");
        }
    }

    async fn the_number_of_statements_does_not_depend_on_the_page(market: &Market) {
        things_without_an_index(market).await;
        let fields = "nodes { title lowestOffer { price { amountMinor } } variants { size } } totalCount \
            facets { categories { category { name } count } attributes { name } sizes { value count } brands { value } }";
        // Revisions, products, lowest offers, variants, and once categories and attributes of facets. What was read for a
        // hit before is not read again: the first product showed while this test waited for the index.
        for (first, statements) in [(1, 5), (20, 4), (100, 4), (100, 2)] {
            let query = format!("{{ search(query: \"thing\", currency: \"USD\", first: {first}) {{ {fields} }} }}");
            let before = market.env("catalog").db.statements();
            let answer = ask(market, &query, json!({})).await;
            assert_eq!(answer["search"]["nodes"].as_array().unwrap().len(), first.min(45));
            assert_eq!(market.env("catalog").db.statements() - before, statements, "{first}");
        }
    }
}

/// An index that has seen everything and follows no more: its own statements do not count.
async fn things_without_an_index(market: &Market) {
    follow(&market.souk);
    things(market, 45).await;
    market.souk.tasks.stop().await;
}
