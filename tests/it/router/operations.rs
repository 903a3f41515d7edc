//! Queries and mutations: what comes back, and what the subgraphs get to see.

use serde_json::{Value, json};

use super::world::{Subgraphs, World, code};

const OPERATIONS: [&str; 9] = [
    "{ products { id title stock } warehouses }",
    "{ products(first: 20) { title stock } }",
    "{ product(id: \"nothing\") { title stock } }",
    "{ a: product(id: \"1\") { ...P } b: product(id: \"3\") { ...P } } fragment P on Product { id brand stock }",
    "{ product(id: \"2\") { id brand stock } }",
    "mutation { rename(id: \"1\", title: \"Ω\\\"\\\\\") { id title stock } }",
    "query Named { product(id: \"1\") { __typename stock } __typename }",
    "{ nowhere }",
    "{ product(id: ",
];

#[tokio::test]
async fn local_and_http_subgraphs_give_the_same_bytes() {
    let local = World::start(Subgraphs::Local).await;
    let http = World::start(Subgraphs::OverHttp).await;
    for query in OPERATIONS {
        let request = json!({ "query": query });
        let bytes = async |world: &World| {
            let request = world.post(&request).header("x-request-id", "the-same").send();
            let response = request.await.unwrap();
            (response.status(), response.text().await.unwrap())
        };
        assert_eq!(bytes(&local).await, bytes(&http).await, "{query}");
    }
    assert_eq!(local.counts().of(|counts| &counts.http), 0);
    assert_eq!(http.counts().of(|counts| &counts.local), 0);
}

#[tokio::test]
async fn a_query_is_completed_from_both_subgraphs() {
    let world = World::start(Subgraphs::Local).await;
    let answer = world.ask("{ products { title stock } warehouses }").await;
    let products = json!([
        { "title": "Product 1", "stock": 1 },
        { "title": "Product 2", "stock": 2 },
        { "title": "Product 3", "stock": 3 },
    ]);
    assert_eq!(answer, json!({ "data": { "products": products, "warehouses": 2 } }));
}

#[tokio::test]
async fn variables_arrive_whole() {
    let world = World::start(Subgraphs::Local).await;
    let query = "mutation($id: ID!, $title: String!) { rename(id: $id, title: $title) { id title } }";
    let title = "\u{0}\u{7f}\u{202e}\"\\ \u{1F600} e\u{301}";
    let request = json!({ "query": query, "variables": { "id": "7", "title": title } });
    let answer: serde_json::Value = world.post(&request).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "rename": { "id": "7", "title": title } } }));
}

#[tokio::test]
async fn subgraphs_see_the_clients_headers_and_no_others() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start(subgraphs).await;
        let query = r#"{
            authorization: header(name: "authorization")
            cookie: header(name: "cookie")
            language: header(name: "accept-language")
            id: header(name: "x-request-id")
            parent: header(name: "traceparent")
            address: header(name: "x-client-address")
            other: header(name: "x-other")
        }"#;
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let request = world
            .post(&json!({ "query": query }))
            .header("authorization", "Bearer a")
            .header("cookie", "session=1")
            .header("accept-language", "tr")
            .header("x-request-id", "one")
            .header("traceparent", parent)
            .header("x-client-address", "8.8.8.8")
            .header("x-other", "1");
        let mut answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        // The trace is the client's; the span is the router's where the process traces.
        let seen = answer["data"]["parent"].take();
        assert_eq!(seen.as_str().map(|seen| &seen[..36]), Some(&parent[..36]));
        let expected = json!({
            "authorization": "Bearer a", "cookie": "session=1", "language": "tr", "id": "one", "parent": null,
            "address": "127.0.0.1", "other": null,
        });
        assert_eq!(answer["data"], expected);
    }
}

#[tokio::test]
async fn a_cookie_that_a_subgraph_sets_reaches_the_client() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start(subgraphs).await;
        let request = world.post(&json!({ "query": "mutation { signIn }" }));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["set-cookie"], "session=1; HttpOnly");
    }
}

#[tokio::test]
async fn a_subgraph_without_the_right_to_cookies_neither_sees_nor_sets_one() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start_with(subgraphs, |options| options.cookies_of.clear()).await;
        let query = json!({ "query": "{ header(name: \"cookie\") }" });
        let response = world.post(&query).header("cookie", "session=1").send().await.unwrap();
        assert_eq!(
            response.json::<serde_json::Value>().await.unwrap(),
            json!({ "data": { "header": null } })
        );
        let response = world.post(&json!({ "query": "mutation { signIn }" })).send().await.unwrap();
        assert!(!response.headers().contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn cookies_count_only_from_pages_of_the_own_origin_and_of_allowed_ones() {
    let allowed = "https://shop.example";
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start_with(subgraphs, |it| it.allowed_origins = vec![allowed.to_owned()]).await;
        let own = world.url.clone();
        for (origin, seen) in [(own.as_str(), true), (allowed, true), ("https://evil.example", false)] {
            let query = json!({ "query": "{ header(name: \"cookie\") }" });
            let request = world.post(&query).header("cookie", "session=1").header("origin", origin);
            let answer = request.send().await.unwrap().json::<serde_json::Value>().await.unwrap();
            assert_eq!(answer["data"]["header"].is_string(), seen, "{origin}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_the_caller_adds_reaches_every_subgraph_whatever_the_client_says() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let shown = ("x-other".parse().unwrap(), "ours".parse().unwrap());
        let world = World::start_with(subgraphs, |options| options.to_subgraphs = vec![shown]).await;
        let query = json!({ "query": "{ header(name: \"x-other\") }" });
        let answer = world.post(&query).header("x-other", "theirs").send().await.unwrap();
        assert_eq!(
            answer.json::<serde_json::Value>().await.unwrap(),
            json!({ "data": { "header": "ours" } })
        );
    }
}

#[tokio::test]
async fn each_request_has_an_id_in_its_answer_and_its_errors() {
    let world = World::start(Subgraphs::Local).await;
    let response = world.post(&json!({ "query": "{ nowhere }" })).send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let answer: serde_json::Value = response.json().await.unwrap();
    let expected = json!({
        "code": "GRAPHQL_VALIDATION_FAILED", "rule": "FieldsOnCorrectType", "requestId": id, "retryable": false,
    });
    assert_eq!(answer["errors"][0]["extensions"], expected);

    let given =
        world.post(&json!({ "query": "{ product(id: \"2\") { brand } }" })).header("x-request-id", "mine");
    let response = given.send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "mine");
    let answer: serde_json::Value = response.json().await.unwrap();
    let error = &answer["errors"][0];
    assert_eq!(error["message"], "the brand is not known");
    assert_eq!(error["extensions"]["requestId"], "mine");
    assert!(error["extensions"]["code"].is_string(), "{error}");
}

#[tokio::test]
async fn a_subgraph_that_panics_is_an_error_and_nothing_more() {
    let world = World::start(Subgraphs::Local).await;
    let answer = world.ask("{ panic(sure: true) warehouses }").await;
    assert_eq!(code(&answer), "INTERNAL", "{answer}");
    assert_eq!(answer["data"]["warehouses"], json!(2));
    assert_eq!(world.ask("{ warehouses }").await, json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn a_bad_credential_is_refused_before_any_subgraph_is_asked() {
    let world = World::start(Subgraphs::Local).await;
    let request = world.post(&json!({ "query": "{ warehouses }" })).header("authorization", "Bearer forged");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(code(&answer), "UNAUTHENTICATED");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    assert_eq!(world.counts().of(|counts| &counts.local), 0);
}

#[tokio::test]
async fn one_of_several_operations_is_chosen_by_its_name() {
    let world = World::start(Subgraphs::Local).await;
    let query = "query A { warehouses } mutation B { signIn }";
    assert_eq!(code(&world.ask(query).await), "OPERATION_NAME_REQUIRED");
    let body = json!({ "query": query, "operationName": "A" });
    let answer: Value = world.post(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "warehouses": 2 } }));
}
