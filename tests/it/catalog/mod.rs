//! The catalog subgraph, through its graph.

mod attributes;
mod categories;
mod imports;
mod listings;
mod lists;
mod load;
mod mirrors;
mod moderation;
mod offers;
mod products;

use serde_json::{Value, json};

use crate::support::{Market, Person};

/// Runs the mutation `name` and gives its payload.
async fn change(market: &Market, by: &Person, name: &str, thing: &str, input: Value) -> Value {
    let mut start = name.chars();
    let type_name: String = start.next().into_iter().flat_map(char::to_uppercase).chain(start).collect();
    let fields = match thing {
        "offer" => "id version publication condition price { amountMinor currency }",
        "variant" => "id version size sku gtin position",
        "category" => "id version name handle path",
        _ => "id version title brand model description handle publication",
    };
    let versioned = !["create", "add"].iter().any(|verb| name.starts_with(verb));
    let facts = if versioned { "currentVersion" } else { "" };
    let query = format!(
        "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ \
         {thing} {{ {fields} }} userErrors {{ code field message {facts} }} }} }}"
    );
    market.data("catalog", Some(by), &query, json!({ "input": input })).await[name].take()
}

/// [`change`] that must succeed: the thing.
async fn done(market: &Market, by: &Person, name: &str, thing: &str, input: Value) -> Value {
    let mut payload = change(market, by, name, thing, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{name}");
    payload[thing].take()
}

/// [`change`] that must be refused: the codes.
async fn refused(market: &Market, by: &Person, name: &str, thing: &str, input: Value) -> Vec<String> {
    let payload = change(market, by, name, thing, input).await;
    assert_eq!(payload[thing], Value::Null, "{name}");
    codes(&payload)
}

fn codes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A draft called `title`.
async fn draft(market: &Market, by: &Person, title: &str) -> Value {
    done(market, by, "createProduct", "product", json!({ "title": title, "idempotencyKey": key() })).await
}

async fn variant(market: &Market, by: &Person, product: &Value, size: &str) -> Value {
    let input = json!({ "productId": product["id"], "size": size, "idempotencyKey": key() });
    done(market, by, "addVariant", "variant", input).await
}

/// A published product with one variant.
async fn published(market: &Market, by: &Person, title: &str) -> (Value, Value) {
    let product = draft(market, by, title).await;
    let variant = variant(market, by, &product, "M").await;
    (done(market, by, "publishProduct", "product", seen(&product)).await, variant)
}

/// A published offer of `amount_minor` EUR.
async fn offer(market: &Market, by: &Person, variant: &Value, condition: &str, amount_minor: i64) -> Value {
    let price = json!({ "amountMinor": amount_minor, "currency": "EUR" });
    let input = json!({ "variantId": variant["id"], "condition": condition, "price": price, "idempotencyKey": key() });
    let offer = done(market, by, "createOffer", "offer", input).await;
    done(market, by, "publishOffer", "offer", seen(&offer)).await
}

/// The id and the version of a thing, as the input of a mutation.
fn seen(thing: &Value) -> Value {
    json!({ "id": thing["id"], "expectedVersion": thing["version"] })
}

/// [`seen`] with more fields.
fn seen_with(thing: &Value, more: Value) -> Value {
    let mut input = seen(thing);
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

/// What anybody is answered to a query.
async fn ask(market: &Market, query: &str, variables: Value) -> Value {
    market.data("catalog", None, query, variables).await
}

/// The titles of `products(...)` for a filter.
async fn titles(market: &Market, by: Option<&Person>, filter: Value) -> Vec<String> {
    let query = "query($filter: ProductFilter) { products(filter: $filter, sort: TITLE, first: 100) { nodes { title } } }";
    let found = market.data("catalog", by, query, json!({ "filter": filter })).await;
    let nodes = found["products"]["nodes"].as_array().unwrap().iter();
    nodes.map(|product| product["title"].as_str().unwrap().to_owned()).collect()
}
