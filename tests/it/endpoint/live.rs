//! Live stock and live markets, over WebSocket and over SSE.

use chassis::tx;
use futures::{SinkExt, StreamExt};
use inventory::shelf::{self, Shelf};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::*;
use crate::bidding::pit::Pit;
use crate::support::goods::{Goods, KEEPER};

const QUERY: &str = "subscription($offers: [ID!]) { stockChanged(offerIds: $offers) { offer { id } variant { id } \
    available sequence } }";

souk_test! {
    async fn a_subscriber_sees_the_stock_and_then_each_change_over_a_websocket(market: &Market) {
        let seller = market.seller("Live").await;
        let goods = Goods::stock(market, &seller, "Live goods", 5).await;
        let site = Site::open(market, Subgraphs::InProcess).await;
        let mut socket = socket(&site).await;
        let start = json!({ "query": QUERY, "variables": { "offers": [goods.offer] } });
        for message in [json!({ "type": "connection_init" }), json!({ "id": "1", "type": "subscribe", "payload": start })] {
            socket.send(Message::text(message.to_string())).await.unwrap();
        }
        let mut next = async || loop {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == "next" {
                return message["payload"]["data"]["stockChanged"].clone();
            }
            assert_eq!(message["type"], "connection_ack");
        };
        let first = next().await;
        assert_eq!((&first["available"], &first["variant"]["id"]), (&json!(5), &json!(goods.variant)));
        adjust(market, goods, -2).await;
        let second = next().await;
        assert_eq!(second["available"], 3);
        assert!(second["sequence"].as_i64() > first["sequence"].as_i64());
        site.close().await;
    }

    async fn a_subscriber_sees_the_stock_over_sse(market: &Market) {
        let seller = market.seller("Live").await;
        let goods = Goods::stock(market, &seller, "Live goods", 5).await;
        let site = Site::open(market, Subgraphs::InProcess).await;
        let request = site.request(None, QUERY, json!({ "offers": [goods.offer] }));
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.bytes_stream();
        let mut text = String::new();
        let mut until = async |wanted: &str| {
            while !text.contains(wanted) {
                text += &String::from_utf8_lossy(&body.next().await.unwrap().unwrap());
            }
        };
        until("\"available\":5").await;
        adjust(market, goods, 4).await;
        until("\"available\":9").await;
        site.close().await;
    }

    async fn two_clients_see_a_trade_as_it_happens(market: &Market) {
        let pit = Pit::open(market).await;
        let site = Site::open(market, Subgraphs::InProcess).await;
        let query = "subscription($id: ID!) { market(id: $id) { kind seq asks { quantity } trades { price { decimal } makerSide } } }";
        let mut watchers = Vec::new();
        for _ in 0..2 {
            let request = site.request(None, query, json!({ "id": pit.id }));
            let response = request.header("accept", "text/event-stream").send().await.unwrap();
            watchers.push((response.bytes_stream(), String::new()));
        }
        for (body, text) in &mut watchers {
            read_until(body, text, "\"kind\":\"SNAPSHOT\"").await;
        }
        pit.ask(&pit.seller, 20_000).await;
        pit.bid(&market.buyer(), 20_000).await;
        for (body, text) in &mut watchers {
            read_until(body, text, "\"trades\":[{\"price\":{\"decimal\":\"200.00\"},\"makerSide\":\"ASK\"}]").await;
        }
        site.close().await;
    }

    async fn an_error_within_a_subscription_has_the_id_of_the_client_s_request(market: &Market) {
        let site = Site::open(market, Subgraphs::InProcess).await;
        // Two at once: neither may be given the other's.
        for id in ["mine-1", "mine-2"] {
            let request = site.request(None, QUERY, json!({ "offers": [] })).header("x-request-id", id);
            let response = request.header("accept", "text/event-stream").send().await.unwrap();
            let text = response.text().await.unwrap();
            assert!(text.contains("BAD_USER_INPUT") && text.contains(&format!("\"requestId\":\"{id}\"")), "{text}");
        }
        let mut socket = socket(&site).await;
        let start = json!({ "query": QUERY, "variables": { "offers": [] } });
        for message in [
            json!({ "type": "connection_init", "payload": { "x-request-id": "mine-3" } }),
            json!({ "id": "1", "type": "subscribe", "payload": start }),
        ] {
            socket.send(Message::text(message.to_string())).await.unwrap();
        }
        let answer = loop {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] != "connection_ack" {
                break message;
            }
        };
        assert!(answer.to_string().contains("\"requestId\":\"mine-3\""), "{answer}");
        site.close().await;
    }
}

async fn read_until<E: std::fmt::Debug>(
    body: &mut (impl futures::Stream<Item = Result<impl AsRef<[u8]>, E>> + Unpin),
    text: &mut String,
    wanted: &str,
) {
    while !text.contains(wanted) {
        *text += &String::from_utf8_lossy(body.next().await.unwrap().unwrap().as_ref());
    }
}

async fn socket(site: &Site) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut request = site.url.replacen("http", "ws", 1).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

async fn adjust(market: &Market, goods: Goods, delta: i64) {
    let shelf = Shelf { keeper: KEEPER, offer_id: goods.offer, location_id: goods.location };
    let (db, now) = (&market.env("inventory").db, market.clock.now());
    tx::run(db, async |tx| shelf::adjust(tx, now, shelf, delta, "counted".into()).await)
        .await
        .unwrap()
        .unwrap();
}
