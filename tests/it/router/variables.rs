//! Values that do not fit their type: one code, and the place of each.

use serde_json::{Value, json};

use super::world::{Subgraphs, World, code};

const DELIVER: &str = "mutation($input: Delivery!) { deliver(input: $input) }";

async fn ask(world: &World, query: &str, variables: &Value) -> Value {
    let body = json!({ "query": query, "variables": variables });
    world.post(&body).send().await.unwrap().json().await.unwrap()
}

/// What is said about each: where, and what was expected there.
fn told(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let told = errors.iter().map(|error| {
        let extensions = &error["extensions"];
        assert_eq!(extensions["code"], "BAD_USER_INPUT", "{answer}");
        assert!(extensions["requestId"].is_string(), "{answer}");
        let steps = extensions["path"].as_array().unwrap();
        let steps = steps.iter().map(|step| match step {
            Value::String(field) => format!(".{field}"),
            index => format!("[{index}]"),
        });
        let place = format!("{}{}", extensions["variable"].as_str().unwrap(), steps.collect::<String>());
        let expected = extensions["expected"].as_str().unwrap();
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("${place}: expected {expected}, found ")), "{message}");
        (place, expected.to_owned())
    });
    told.collect()
}

#[tokio::test]
async fn a_wrong_variable_is_named_with_the_place_in_it() {
    let world = World::start(Subgraphs::Local).await;
    let line = json!({ "product": "1", "quantity": 2, "shelf": "FRONT" });
    let with = |field: &str, value: Value| {
        let mut line = line.clone();
        line[field] = value;
        json!({ "lines": [{ "product": "1", "quantity": 1 }, line] })
    };
    for (input, place, expected) in [
        (json!(null), "input", "Delivery!"),
        (json!(7), "input", "Delivery"),
        (json!([{}]), "input", "Delivery"),
        (json!({}), "input.lines", "[Line!]!"),
        (json!({ "lines": [null] }), "input.lines[0]", "Line!"),
        (json!({ "lines": [], "note": 7 }), "input.note", "String"),
        (json!({ "lines": [], "color": "red" }), "input.color", "a field of Delivery"),
        (with("quantity", json!("two")), "input.lines[1].quantity", "Int"),
        (with("quantity", json!(2_147_483_648_i64)), "input.lines[1].quantity", "Int"),
        (with("quantity", json!(1.5)), "input.lines[1].quantity", "Int"),
        (with("quantity", json!(null)), "input.lines[1].quantity", "Int!"),
        (with("product", json!(["1"])), "input.lines[1].product", "ID"),
        (with("shelf", json!("SIDE")), "input.lines[1].shelf", "Shelf: FRONT, BACK"),
        (with("shelf", json!(true)), "input.lines[1].shelf", "Shelf: FRONT, BACK"),
    ] {
        let answer = ask(&world, DELIVER, &json!({ "input": input })).await;
        assert_eq!(told(&answer), [(place.to_owned(), expected.to_owned())], "{input}");
    }
    assert_eq!(told(&ask(&world, DELIVER, &json!({})).await), [("input".to_owned(), "Delivery!".to_owned())]);
    assert_eq!(world.counts().of(|counts| &counts.local), 0);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_but_not_without_end() {
    let world = World::start(Subgraphs::Local).await;
    let lines = json!([{ "product": 1, "quantity": "x" }, { "shelf": 1 }]);
    let places: Vec<_> = told(&ask(&world, DELIVER, &json!({ "input": { "lines": lines } })).await)
        .into_iter()
        .map(|(place, _)| place.trim_start_matches("input.lines").to_owned())
        .collect();
    assert_eq!(places, ["[0].product", "[0].quantity", "[1].product", "[1].quantity", "[1].shelf"]);
    let many = json!({ "input": { "lines": vec![json!(7); 1_000] } });
    assert_eq!(told(&ask(&world, DELIVER, &many).await).len(), 20);
}

#[tokio::test]
async fn what_fits_is_let_through() {
    let world = World::start(Subgraphs::Local).await;
    let one = json!({ "product": "1", "quantity": 2 });
    for lines in [json!([one.clone()]), one, json!([{ "product": "1", "quantity": 2, "shelf": null }])] {
        let answer = ask(&world, DELIVER, &json!({ "input": { "lines": lines }, "unused": [] })).await;
        assert_eq!(answer, json!({ "data": { "deliver": 3 } }), "{lines}");
    }
}

#[tokio::test]
async fn a_wrong_value_in_the_document_has_the_same_code() {
    let world = World::start(Subgraphs::Local).await;
    for query in ["{ products(first: \"two\") { id } }", "mutation { deliver(input: { lines: [7] }) }"] {
        let answer = world.ask(query).await;
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{answer}");
    }
}

#[tokio::test]
async fn a_document_that_is_not_valid_is_told_before_its_variables() {
    let world = World::start(Subgraphs::Local).await;
    let answer = ask(&world, "query($n: Int!) { nowhere(first: $n) }", &json!({ "n": "x" })).await;
    assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED", "{answer}");
}
