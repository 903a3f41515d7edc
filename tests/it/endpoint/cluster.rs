//! Subgraphs answer the router of their cluster, and nobody who comes around it.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chassis::auth::{ClusterSecret, Keys};
use chassis::graph::{ClientAddress, Graph};
use chassis::{Clock, Peers, serve};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;
use crate::bidding::instance::Instance;
use crate::bidding::pit::{Pit, status};
use crate::support::{self, Relays};

/// Tells who asks.
struct Mirror;

#[Object(name = "Query")]
impl Mirror {
    async fn address(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_opt::<ClientAddress>().map(|address| address.0.to_string())
    }
}

/// A subgraph's address, open to who knows `secret`.
async fn open(secret: Option<ClusterSecret>) -> String {
    let graph = Graph::new(Schema::build(Mirror, EmptyMutation, EmptySubscription));
    let endpoint = chassis::graph::Endpoint::new("mirror", graph, Keys::new(Clock::System));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/subgraphs/mirror", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, serve::subgraph(endpoint, secret)).await });
    url
}

fn secret(letter: &str) -> ClusterSecret {
    ClusterSecret::new(letter.repeat(32).into(), None).unwrap()
}

/// Status and answer to who shows `secret`.
async fn ask(url: &str, secret: Option<&ClusterSecret>) -> (u16, Value) {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-client-address"), HeaderValue::from_static("192.0.2.7"));
    headers.extend(secret.map(|secret| (HeaderName::from_static(ClusterSecret::HEADER), secret.header())));
    let request = reqwest::Client::new().post(url).headers(headers).json(&json!({ "query": "{ address }" }));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_subgraph_answers_who_knows_the_current_or_the_previous_secret() {
    let both = ClusterSecret::new("b".repeat(32).into(), Some("a".repeat(32).into())).unwrap();
    let url = open(Some(both)).await;
    for known in ["a", "b"] {
        let answer = ask(&url, Some(&secret(known))).await;
        assert_eq!(answer, (200, json!({ "data": { "address": "192.0.2.7" } })), "{known}");
    }
    for stranger in [None, Some(secret("c"))] {
        let (status, answer) = ask(&url, stranger.as_ref()).await;
        assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (403, &json!("NOT_THE_ROUTER")));
    }
}

#[tokio::test]
async fn without_a_secret_nobody_is_believed_where_the_client_is() {
    let url = open(None).await;
    assert_eq!(ask(&url, None).await, (200, json!({ "data": { "address": null } })));
}

souk_test! {
    async fn the_subgraphs_beside_the_router_answer_nobody_else(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        let url = format!("http://{}/subgraphs/accounts", site.inner.address);
        for stranger in [None, Some(ClusterSecret::random())] {
            assert_eq!(ask(&url, stranger.as_ref()).await.0, 403);
        }
        assert_eq!(ask(&url, Some(&site.inner.secret)).await.0, 200);
        for (payload, expected) in [
            (json!({}), "closed"),
            (json!({ (ClusterSecret::HEADER): "x".repeat(43) }), "closed"),
            (json!({ (ClusterSecret::HEADER): site.inner.secret.header().to_str().unwrap() }), "connection_ack"),
        ] {
            assert_eq!(greet(&url, payload).await, expected);
        }
        site.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_marketplace_takes_bids_from_another_at_its_one_port() {
    let Some(store) = support::cluster::store() else { return };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let peers = Peers::new(&free.to_string(), secret("a")).unwrap();
    let market = Market::start_among(&store, Relays::Running, peers).await;
    let site = Site::open_at(free.port(), &market, Subgraphs::InProcess).await;
    let other = Instance::start(&store, &secret("a")).await;
    let pit = Pit::open(&market).await.moved_to(&other.market);
    assert_eq!(status(&pit.ask(&pit.seller, 20_000).await), "OPEN");
    assert_eq!(pit.quote().await[0], Some(20_000));
    assert_eq!(ask(&format!("http://{free}/subgraphs/bidding/errands"), Some(&secret("b"))).await.0, 403);
    site.close().await;
    for market in [&market, &other.market] {
        market.stop().await;
    }
    store.remove().await;
}

/// What a subgraph says to `connection_init`.
async fn greet(url: &str, payload: Value) -> String {
    let mut request = url.replacen("http", "ws", 1).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": payload });
    socket.send(Message::text(init.to_string())).await.unwrap();
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => {
            serde_json::from_str::<Value>(&text).unwrap()["type"].as_str().unwrap().to_owned()
        }
        Message::Close(_) => "closed".to_owned(),
        other => panic!("{other:?}"),
    }
}
