//! The category tree.

use super::*;

async fn category(market: &Market, name: &str, parent: Option<&Value>) -> Value {
    let input =
        json!({ "name": name, "parentId": parent.map(|parent| &parent["id"]), "idempotencyKey": key() });
    done(market, &market.admin(), "createCategory", "category", input).await
}

souk_test! {
    async fn a_category_shows_what_is_above_below_and_in_it(market: &Market) {
        let shoes = category(market, "Shoes", None).await;
        let sneakers = category(market, "Sneakers", Some(&shoes)).await;
        let high = category(market, "High tops", Some(&sneakers)).await;
        assert_eq!(high["path"], "shoes/sneakers/high-tops");
        let ada = market.seller("Ada's").await;
        let (product, _) = published(market, &ada, "Jordan").await;
        let set = seen_with(&product, json!({ "categoryIds": [high["id"]] }));
        done(market, &ada, "setProductCategories", "product", set).await;
        let query = "{ category(handle: \"sneakers\") { parent { handle } ancestors { handle } children { handle }
            products { nodes { title categories { path } } pageInfo { hasNextPage } } } }";
        assert_eq!(ask(market, query, json!({})).await["category"], json!({
            "parent": { "handle": "shoes" }, "ancestors": [{ "handle": "shoes" }], "children": [{ "handle": "high-tops" }],
            "products": { "nodes": [{ "title": "Jordan", "categories": [{ "path": "shoes/sneakers/high-tops" }] }], "pageInfo": { "hasNextPage": false } },
        }));
        assert_eq!(titles(market, None, json!({ "categoryId": shoes["id"] })).await, ["Jordan"]);
        let roots = ask(market, "{ categories { nodes { handle } } }", json!({})).await;
        assert_eq!(roots["categories"]["nodes"], json!([{ "handle": "shoes" }]));
    }

    async fn a_category_moves_with_what_is_below_it_and_never_below_itself(market: &Market) {
        let admin = market.admin();
        let shoes = category(market, "Shoes", None).await;
        let sneakers = category(market, "Sneakers", Some(&shoes)).await;
        let high = category(market, "High", Some(&sneakers)).await;
        let circle = seen_with(&shoes, json!({ "parentId": high["id"] }));
        assert_eq!(refused(market, &admin, "changeCategory", "category", circle).await, ["CIRCULAR"]);
        let moved = seen_with(&sneakers, json!({ "parentId": null, "handle": "kicks" }));
        let moved = done(market, &admin, "changeCategory", "category", moved).await;
        assert_eq!(moved["path"], "kicks");
        let path = ask(market, "query($id: ID!) { category(id: $id) { path ancestors { path } } }", json!({ "id": high["id"] })).await;
        assert_eq!(path["category"], json!({ "path": "kicks/high", "ancestors": [{ "path": "kicks" }] }));
        assert_eq!(refused(market, &admin, "changeCategory", "category", seen(&sneakers)).await, ["STALE_VERSION"]);
        let taken = seen_with(&moved, json!({ "handle": "shoes" }));
        assert_eq!(refused(market, &admin, "changeCategory", "category", taken).await, ["HANDLE_TAKEN"]);
    }

    async fn the_tree_has_at_most_eight_levels(market: &Market) {
        let mut deepest = category(market, "L1", None).await;
        for level in 2..=8 {
            deepest = category(market, &format!("L{level}"), Some(&deepest)).await;
        }
        let input = json!({ "name": "L9", "parentId": deepest["id"], "idempotencyKey": key() });
        assert_eq!(refused(market, &market.admin(), "createCategory", "category", input).await, ["TOO_DEEP"]);
    }

    async fn only_admins_change_the_tree(market: &Market) {
        let ada = market.seller("Ada's").await;
        let query = "mutation { createCategory(input: { name: \"A\", idempotencyKey: \"a\" }) { category { id } } }";
        let answer = market.ask("catalog", Some(&ada), query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let product = draft(market, &ada, "Lamp").await;
        let nowhere = seen_with(&product, json!({ "categoryIds": ["cat_00000000000000000000000000"] }));
        assert_eq!(refused(market, &ada, "setProductCategories", "product", nowhere).await, ["CATEGORY_NOT_FOUND"]);
        let many = vec!["cat_00000000000000000000000000"; 10_000];
        let many = seen_with(&product, json!({ "categoryIds": many }));
        assert_eq!(refused(market, &ada, "setProductCategories", "product", many).await, ["INVALID_INPUT"]);
    }
}
