//! Subscriptions, over WebSocket and over SSE.

use serde_json::{Value, json};

use super::limits::hostile;
use super::socket::{Heard, Socket};
use super::world::{Subgraphs, World, code};

fn data(message: &Value) -> &Value {
    assert_eq!(message["type"], "next", "{message}");
    &message["payload"]["data"]
}

#[tokio::test]
async fn events_come_over_a_websocket_and_end() {
    for subgraphs in [Subgraphs::Local, Subgraphs::OverHttp] {
        let world = World::start(subgraphs).await;
        let mut socket = Socket::open(&world, json!({})).await;
        socket.subscribe("1", "subscription { productChanged { title stock } }").await;
        let first = socket.next().await;
        assert_eq!(data(&first), &json!({ "productChanged": { "title": "Product 1", "stock": 1 } }));
        let second = socket.next().await;
        assert_eq!(data(&second), &json!({ "productChanged": { "title": "Product 3", "stock": 3 } }));
        assert_eq!(socket.next().await["type"], "complete");
    }
}

#[tokio::test]
async fn events_come_over_sse() {
    let world = World::start(Subgraphs::Local).await;
    let body = json!({ "query": "subscription { productChanged { id } }" });
    let response = world.post(&body).header("accept", "text/event-stream").send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = response.text().await.unwrap();
    assert!(text.contains("event: next") && text.contains("event: complete"), "{text}");
    assert!(text.contains(r#"{"data":{"productChanged":{"id":"3"}}}"#), "{text}");
}

#[tokio::test]
async fn a_query_over_sse_is_a_stream_of_one_event() {
    let world = World::start(Subgraphs::Local).await;
    for (query, data) in
        [("{ warehouses }", r#"{"data":{"warehouses":2}}"#), ("{ nowhere }", r#"{"errors":["#)]
    {
        let request = world.post(&json!({ "query": query })).header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{query}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let text = response.text().await.unwrap();
        assert!(text.starts_with(&format!("event: next\ndata: {data}")), "{text}");
        assert!(text.contains("\n\nevent: complete\n"), "{text}");
    }
}

#[tokio::test]
async fn queries_and_mutations_work_over_a_websocket() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({ "Authorization": "Bearer me" })).await;
    socket.subscribe("q", "{ slow }").await;
    assert_eq!(data(&socket.next().await), &json!({ "slow": "Bearer me" }));
    assert_eq!(socket.next().await["type"], "complete");
    socket.subscribe("m", "mutation { rename(id: \"1\", title: \"x\") { title stock } }").await;
    assert_eq!(data(&socket.next().await)["rename"], json!({ "title": "x", "stock": 1 }));
    assert!(world.counts().of(|counts| &counts.local) > 0);
}

#[tokio::test]
async fn the_viewer_of_connection_init_reaches_the_subgraph() {
    for payload in [
        json!({ "Authorization": "Bearer me" }),
        json!({ "authorization": "Bearer me" }),
        json!({ "headers": { "Authorization": "Bearer me" } }),
    ] {
        let world = World::start(Subgraphs::Local).await;
        let mut socket = Socket::open(&world, payload).await;
        socket.subscribe("1", "subscription { viewer }").await;
        assert_eq!(data(&socket.next().await), &json!({ "viewer": "Bearer me" }));
    }
}

#[tokio::test]
async fn the_viewer_of_an_sse_request_reaches_the_subgraph() {
    let world = World::start(Subgraphs::Local).await;
    let request =
        world.post(&json!({ "query": "subscription { viewer }" })).header("accept", "text/event-stream");
    let text = request.header("authorization", "Bearer me").send().await.unwrap().text().await.unwrap();
    assert!(text.contains("Bearer me"), "{text}");
}

#[tokio::test]
async fn two_viewers_at_once_are_kept_apart() {
    let world = World::start(Subgraphs::Local).await;
    let viewer = async |token: &str| {
        let mut socket = Socket::open(&world, json!({ "authorization": token })).await;
        socket.subscribe("1", "subscription { viewer }").await;
        data(&socket.next().await)["viewer"].clone()
    };
    let seen = futures::join!(viewer("Bearer a"), viewer("Bearer b"), viewer("Bearer a"));
    assert_eq!(seen, (json!("Bearer a"), json!("Bearer b"), json!("Bearer a")));
}

#[tokio::test]
async fn whoever_comes_later_is_told_how_things_are_as_well() {
    let world = World::start(Subgraphs::Local).await;
    let mut sockets = Vec::new();
    for viewer in [json!({}), json!({}), json!({ "authorization": "Bearer a" })] {
        let mut socket = Socket::open(&world, viewer).await;
        for id in ["1", "2"] {
            socket.subscribe(id, "subscription { ticks }").await;
            let first = loop {
                let message = socket.next().await;
                if message["id"] == id {
                    break message;
                }
            };
            assert_eq!(data(&first), &json!({ "ticks": 0 }));
        }
        sockets.push(socket);
    }
    let body = json!({ "query": "subscription { ticks }" });
    let mut response = world.post(&body).header("accept", "text/event-stream").send().await.unwrap();
    let mut text = String::new();
    while !text.contains("data: {") {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains(r#"{"data":{"ticks":0}}"#), "{text}");
    assert_eq!(world.counts().of(|counts| &counts.ticks), 7);
}

#[tokio::test]
async fn subscriptions_that_begin_together_are_kept_apart() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    for id in 0..8 {
        socket.subscribe(&id.to_string(), "subscription { ticks }").await;
    }
    let mut first = std::collections::BTreeMap::new();
    while first.len() < 8 {
        let message = socket.next().await;
        let id = message["id"].as_str().unwrap().to_owned();
        first.entry(id).or_insert_with(|| data(&message)["ticks"].clone());
    }
    assert!(first.values().all(|tick| *tick == 0), "{first:?}");
}

#[tokio::test]
async fn a_subscription_has_one_field_at_its_root() {
    let world = World::start(Subgraphs::Local).await;
    let query = "subscription { a: ticks ... { b: ticks } }";
    let body = json!({ "query": query });
    for accept in ["application/json", "text/event-stream"] {
        let text = world.post(&body).header("accept", accept).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("SingleFieldSubscriptions"), "{accept}: {text}");
        assert!(text.contains("GRAPHQL_VALIDATION_FAILED"), "{accept}: {text}");
    }
    let mut socket = Socket::open(&world, json!({})).await;
    socket.subscribe("1", query).await;
    assert_eq!(code(&socket.refused("1").await), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(world.counts().of(|counts| &counts.ticks), 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_operation_is_said_over_a_websocket() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.root_fields = 1).await;
    let mut socket = Socket::open(&world, json!({})).await;
    for (query, expected) in [
        ("{ warehouses slow }", "MAX_ROOT_FIELDS_EXCEEDED"),
        ("subscription { nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ", "GRAPHQL_PARSE_FAILED"),
        ("query A { warehouses } query B { slow }", "OPERATION_NAME_REQUIRED"),
    ] {
        socket.subscribe("1", query).await;
        let answer = socket.refused("1").await;
        assert_eq!(code(&answer), expected, "{query}: {answer}");
        assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    }
    assert_eq!(world.counts().of(|counts| &counts.local), 0);
}

#[tokio::test]
async fn a_hostile_document_is_refused_over_a_websocket() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    for (query, expected) in hostile() {
        socket.subscribe("1", &query).await;
        assert_eq!(code(&socket.refused("1").await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_stop_ends_subscriptions() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.stop_ms = 1_000).await;
    let mut socket = Socket::open(&world, json!({})).await;
    socket.subscribe("1", "subscription { ticks }").await;
    socket.next().await;
    world.stop.cancel();
    loop {
        if let Heard::Closed(code, _) = socket.hear().await {
            assert_eq!(code, 1001);
            break;
        }
    }
    world.running.ended().await.unwrap();
}

#[tokio::test]
async fn one_client_too_many_is_turned_away() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.long_lived_clients = 1).await;
    let upgrade = || {
        let request = world.client.get(format!("{}/graphql", world.url)).header("connection", "upgrade");
        let request = request.header("upgrade", "websocket").header("sec-websocket-version", "13");
        request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send()
    };
    let first = Socket::open(&world, json!({})).await;
    let second = upgrade().await.unwrap();
    assert_eq!(second.status(), 503);
    assert_eq!(second.headers()["retry-after"], "5");
    assert_eq!(code(&second.json().await.unwrap()), "OVERLOADED");
    assert_eq!(world.ask("{ warehouses }").await, json!({ "data": { "warehouses": 2 } }));

    first.close().await;
    while upgrade().await.unwrap().status() != 101 {}
}
