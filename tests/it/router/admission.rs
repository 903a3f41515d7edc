//! What one client may take: points, subscriptions, connections, and the cost of one operation.

use serde_json::{Value, json};

use super::socket::Socket;
use super::world::{Subgraphs, World, code};

/// More requests than any limit here lets through at once.
const MANY: usize = 200;

async fn world(choose: impl FnOnce(&mut router::Limits)) -> World {
    World::start_with(Subgraphs::Local, |options| choose(&mut options.limits)).await
}

/// Asks until it is refused, and gives the refusal.
async fn until_limited(mut ask: impl AsyncFnMut() -> reqwest::Response) -> reqwest::Response {
    for _ in 0..MANY {
        let response = ask().await;
        if response.status() == 429 {
            return response;
        }
    }
    panic!("never refused");
}

#[tokio::test]
async fn a_viewer_s_points_run_out_and_come_back() {
    let world = world(|limits| (limits.viewer_points_per_s, limits.burst_s) = (20, 5)).await;
    let ask = async |token: &str| {
        let request = world.post(&json!({ "query": "{ warehouses }" }));
        request.header("authorization", token).send().await.unwrap()
    };
    let response = until_limited(async || ask("Bearer a").await).await;
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(code(&answer), "RATE_LIMITED", "{answer}");
    let extensions = &answer["errors"][0]["extensions"];
    let wait_ms = extensions["retryAfterMs"].as_u64().unwrap();
    assert_eq!(seconds, wait_ms.div_ceil(1_000));
    assert_eq!(extensions["retryable"], true);
    assert!(extensions["requestId"].is_string(), "{answer}");

    assert_eq!(ask("Bearer b").await.status(), 200, "another viewer has points of their own");
    assert_eq!(world.ask("{ warehouses }").await, json!({ "data": { "warehouses": 2 } }));
    tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
    assert_eq!(ask("Bearer a").await.status(), 200, "after the time that was said");
}

#[tokio::test]
async fn an_address_is_limited_whatever_it_sends() {
    let bodies = ["{\"query\":\"{ warehouses }\"}", "{", "[]", "{\"query\":\"{\"}"];
    for body in bodies {
        let world = world(|limits| (limits.address_points_per_s, limits.burst_s) = (10, 5)).await;
        let url = format!("{}/graphql", world.url);
        let response = until_limited(async || {
            let request = world.client.post(&url).header("content-type", "application/json");
            request.header("authorization", "Bearer a").body(body).send().await.unwrap()
        })
        .await;
        assert_eq!(code(&response.json().await.unwrap()), "RATE_LIMITED", "{body}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_points() {
    let world = World::start_with(Subgraphs::Local, |options| {
        (options.limits.address_points_per_s, options.limits.burst_s) = (10, 5);
        options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let ask = async |address: &str| {
        let request = world.post(&json!({ "query": "{ address: header(name: \"x-client-address\") }" }));
        request.header("x-forwarded-for", address).send().await.unwrap()
    };
    until_limited(async || ask("203.0.113.1").await).await;
    let other: Value = ask("8.8.8.8, 203.0.113.2").await.json().await.unwrap();
    assert_eq!(other, json!({ "data": { "address": "203.0.113.2" } }));
    until_limited(async || ask("2001:db8:0:1::1").await).await;
    assert_eq!(ask("2001:db8:0:1::2").await.status(), 429, "the same household");
    assert_eq!(ask("2001:db8:0:2::1").await.status(), 200);
}

#[tokio::test]
async fn nobody_is_believed_to_come_from_elsewhere() {
    let world = world(|limits| (limits.address_points_per_s, limits.burst_s) = (10, 5)).await;
    let mut host = 0;
    until_limited(async || {
        host += 1;
        let request = world.post(&json!({ "query": "{ warehouses }" }));
        request.header("x-forwarded-for", format!("203.0.113.{}", host % 250)).send().await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn points_run_out_over_a_websocket_as_well() {
    let world = world(|limits| (limits.viewer_points_per_s, limits.burst_s) = (10, 5)).await;
    let mut socket = Socket::open(&world, json!({ "authorization": "Bearer a" })).await;
    for id in 0..MANY {
        socket.subscribe(&id.to_string(), "{ warehouses }").await;
        let message = socket.next().await;
        if message["type"] == "error" {
            assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{message}");
            return;
        }
        assert_eq!(socket.next().await["type"], "complete");
    }
    panic!("never refused");
}

#[tokio::test]
async fn a_mutation_costs_more_than_a_query() {
    let world = world(|limits| limits.cost = 30).await;
    assert_eq!(world.ask("{ warehouses }").await, json!({ "data": { "warehouses": 2 } }));
    assert_eq!(code(&world.ask("mutation { signIn }").await), "COST_TOO_HIGH");
}

/// The cost that a refusal says.
async fn cost(query: &str, variables: Value) -> u64 {
    let world = world(|limits| limits.cost = 11).await;
    let response = world.post(&json!({ "query": query, "variables": variables })).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(code(&answer), "COST_TOO_HIGH", "{query}: {answer}");
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["costMax"], 11, "{answer}");
    assert_eq!(world.counts().of(|counts| &counts.local), 0);
    extensions["cost"].as_u64().unwrap()
}

#[tokio::test]
async fn lists_within_lists_multiply() {
    let empty = json!({});
    assert_eq!(cost("{ products(first: 5) { id title stock } }", empty.clone()).await, 10 + 5);
    let nested = "{ products(first: 5) { similar(first: 4) { similar(first: 3) { id } } } }";
    assert_eq!(cost(nested, empty.clone()).await, 10 + 5 * (1 + 4 * (1 + 3)));
    assert_eq!(cost("{ products { id } }", empty.clone()).await, 10 + 20, "a page of a usual size");
    let aliases = "{ a: products(first: 5) { id } b: products(first: 7) { id } }";
    assert_eq!(cost(aliases, empty.clone()).await, 10 + 5 + 7);
    let spread = "{ products(first: 2) { ...P } ...Q } fragment P on Product { similar(first: 3) { id } } \
        fragment Q on Query { ... { b: products(first: 9) { id } } }";
    assert_eq!(cost(spread, empty.clone()).await, 10 + 2 * (1 + 3) + 9);
    assert_eq!(cost("mutation { a: signIn b: signIn }", empty.clone()).await, 10 + 2 * 50);
    assert_eq!(cost("{ __schema { queryType { name } } }", empty).await, 10 + 100);
}

#[tokio::test]
async fn variables_count() {
    let query = "query($n: Int = 6) { products(first: $n) { similar(first: $n) { id } } }";
    assert_eq!(cost(query, json!({ "n": 8 })).await, 10 + 8 * (1 + 8));
    assert_eq!(cost(query, json!({})).await, 10 + 6 * (1 + 6));
    assert_eq!(cost(query, json!({ "n": null })).await, 10 + 20 * (1 + 20));
    let query = "query A { warehouses } query B { products(first: 9) { id } }";
    let world = world(|limits| limits.cost = 11).await;
    for (name, expected) in [("A", json!(null)), ("B", json!("COST_TOO_HIGH"))] {
        let body = json!({ "query": query, "operationName": name });
        let answer: Value = world.post(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], expected, "{answer}");
    }
}

#[tokio::test]
async fn a_million_objects_are_refused_and_a_page_is_not() {
    let world = World::start(Subgraphs::Local).await;
    let nested =
        "query($n: Int!) { products(first: $n) { similar(first: $n) { similar(first: $n) { id } } } }";
    for (n, refused) in [(20, false), (100, true), (i32::MAX, true)] {
        let body = json!({ "query": nested, "variables": { "n": n } });
        let answer: Value = world.post(&body).send().await.unwrap().json().await.unwrap();
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(*code == "COST_TOO_HIGH", refused, "{n}: {code}");
    }
    let mut socket = Socket::open(&world, json!({})).await;
    socket.subscribe("1", &nested.replace("($n: Int!)", "").replace("$n", "100")).await;
    assert_eq!(code(&socket.refused("1").await), "COST_TOO_HIGH");
}

#[tokio::test]
async fn subscriptions_of_one_client_are_limited() {
    let world =
        world(|limits| (limits.subscriptions_per_viewer, limits.subscriptions_per_address) = (2, 3)).await;
    let viewer = |token: &str| json!({ "authorization": token });
    let mut a = Socket::open(&world, viewer("Bearer a")).await;
    let mut b = Socket::open(&world, viewer("Bearer b")).await;
    for id in ["1", "2"] {
        a.subscribe(id, "subscription { ticks }").await;
        while a.next().await["id"] != id {}
    }
    let mut again = Socket::open(&world, viewer("Bearer a")).await;
    again.subscribe("1", "subscription { ticks }").await;
    let refused = again.refused("1").await;
    assert_eq!(code(&refused), "TOO_MANY_SUBSCRIPTIONS");
    assert!(refused["errors"][0]["extensions"]["retryAfterMs"].as_u64().unwrap() > 0);

    b.subscribe("1", "subscription { ticks }").await;
    assert_eq!(b.next().await["type"], "next");
    let sse = world.post(&json!({ "query": "subscription { ticks }" })).header("accept", "text/event-stream");
    let sse = sse.send().await.unwrap();
    assert_eq!((sse.status().as_u16(), sse.headers().contains_key("retry-after")), (429, true));
    assert_eq!(code(&sse.json().await.unwrap()), "TOO_MANY_SUBSCRIPTIONS");

    a.send(json!({ "id": "1", "type": "complete" })).await;
    b.close().await;
    let mut id = 1;
    loop {
        id += 1;
        again.subscribe(&id.to_string(), "subscription { ticks }").await;
        if again.next().await["type"] == "next" {
            break;
        }
    }
}

#[tokio::test]
async fn sockets_of_one_address_are_limited() {
    let world = world(|limits| limits.sockets_per_address = 1).await;
    let first = Socket::open(&world, json!({})).await;
    let upgrade = || {
        let request = world.client.get(format!("{}/graphql", world.url)).header("connection", "upgrade");
        let request = request.header("upgrade", "websocket").header("sec-websocket-version", "13");
        request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send()
    };
    let refused = upgrade().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(code(&refused.json().await.unwrap()), "TOO_MANY_CONNECTIONS");
    first.close().await;
    while upgrade().await.unwrap().status() != 101 {}
}
