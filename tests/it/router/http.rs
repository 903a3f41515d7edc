//! Corners of HTTP: what is accepted, what is sent, and with which status.

use serde_json::{Value, json};

use super::world::{Subgraphs, World, code};

async fn post(world: &World, headers: &[(&str, &str)], query: &str) -> (u16, String, Value) {
    let mut request = world.client.post(format!("{}/graphql", world.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = json!({ "query": query }).to_string();
    let response = request.body(body).send().await.unwrap();
    let media = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), media, response.json().await.unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn the_media_type_may_be_written_in_any_case() {
    let world = World::start(Subgraphs::Local).await;
    for media in ["APPLICATION/JSON", "Application/Json; Charset=UTF-8", "application/json;charset=utf-8"] {
        let (status, _, answer) = post(&world, &[("content-type", media)], "{ warehouses }").await;
        assert_eq!((status, answer), (200, json!({ "data": { "warehouses": 2 } })), "{media}");
    }
    for media in
        ["APPLICATION/JSON", "application/*;q=0.5", "text/html, */*;q=0.1", "image/png, application/json"]
    {
        let (status, _, answer) = post(&world, &[JSON, ("accept", media)], "{ warehouses }").await;
        assert_eq!((status, answer), (200, json!({ "data": { "warehouses": 2 } })), "{media}");
    }
}

#[tokio::test]
async fn another_media_type_is_refused_with_a_body() {
    let world = World::start(Subgraphs::Local).await;
    for media in ["application/graphql", "application/xml", "application/jso"] {
        let (status, _, answer) = post(&world, &[("content-type", media)], "{ warehouses }").await;
        assert_eq!((status, code(&answer)), (415, "UNSUPPORTED_CONTENT_TYPE"), "{media}");
    }
    let (status, _, answer) = post(&world, &[("graphql-require-preflight", "1")], "{ warehouses }").await;
    assert_eq!((status, code(&answer)), (415, "MISSING_CONTENT_TYPE_HEADER"));
}

#[tokio::test]
async fn a_client_that_accepts_nothing_that_there_is_is_told_what_there_is() {
    let world = World::start(Subgraphs::Local).await;
    for accept in ["image/png", "text/html", "application/xml, image/*"] {
        let (status, _, answer) = post(&world, &[JSON, ("accept", accept)], "{ warehouses }").await;
        assert_eq!((status, code(&answer)), (406, "NOT_ACCEPTABLE"), "{accept}");
    }
    let (status, _, answer) =
        post(&world, &[JSON, ("accept", "application/json")], "subscription { ticks }").await;
    assert_eq!((status, code(&answer)), (406, "SUBSCRIPTIONS_NOT_SUPPORTED"));
}

#[tokio::test]
async fn a_status_says_what_is_wrong_to_those_who_read_it() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.cost = 100).await;
    for (query, expected) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { warehouses } query B { warehouses }", "OPERATION_NAME_REQUIRED"),
        ("query($id: ID!) { product(id: $id) { id } }", "BAD_USER_INPUT"),
        ("{ products(first: 100) { id } }", "COST_TOO_HIGH"),
    ] {
        for (media, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
            let answered = post(&world, &[JSON, ("accept", media)], query).await;
            assert_eq!((answered.0, code(&answered.2)), (status, expected), "{query} {media}");
            assert_eq!(answered.1, media, "{query}");
        }
    }
    let accept = ("accept", "application/graphql-response+json");
    let (status, media, answer) = post(&world, &[JSON, accept], "{ warehouses }").await;
    assert_eq!(answer, json!({ "data": { "warehouses": 2 } }));
    assert_eq!((status, media.as_str()), (200, "application/graphql-response+json"));
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let world = World::start(Subgraphs::Local).await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let url = format!("{}/graphql", world.url);
        let request =
            world.client.request(method.parse().unwrap(), url).header("content-type", "application/json");
        let response = request.body("{}").send().await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "GET, POST");
        assert_eq!(code(&response.json().await.unwrap()), "METHOD_NOT_ALLOWED");
    }
}
