//! The protocol of the socket: who breaks it is told how.

use futures::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::socket::{Heard, Socket};
use super::world::{Subgraphs, World, code};

const TICKS: &str = "subscription { ticks }";

async fn closed(mut socket: Socket) -> (u16, String) {
    loop {
        if let Heard::Closed(code, reason) = socket.hear().await {
            return (code, reason);
        }
    }
}

#[tokio::test]
async fn a_message_that_is_not_of_the_protocol_closes_with_4400() {
    let world = World::start(Subgraphs::Local).await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for text in [
        "",
        "{",
        "[]",
        "7",
        r#"{"type":"shout"}"#,
        r#"{"type":7}"#,
        r#"{"type":"subscribe","payload":{"query":"{ warehouses }"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{ warehouses }"}}"#,
        r#"{"type":"subscribe","id":7,"payload":{"query":"{ warehouses }"}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":"{ warehouses }"}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
        r#"{"type":"complete"}"#,
        &format!(r#"{{"type":{deep}}}"#),
        &deep,
    ] {
        let mut socket = Socket::open(&world, json!({})).await;
        socket.text(text).await;
        assert_eq!(closed(socket).await.0, 4400, "{text:.100}");
    }
    let mut socket = Socket::connect(&world).await;
    socket.text(format!(r#"{{"type":"connection_init","payload":{{"a":{deep}}}}}"#)).await;
    assert_eq!(closed(socket).await.0, 4400);
    assert_eq!(world.ask("{ warehouses }").await, json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn deep_json_in_an_operation_refuses_that_operation() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let payload = format!(r#"{{"query":"{{ warehouses }}","variables":{{"a":{deep}}}}}"#);
    socket.text(format!(r#"{{"id":"1","type":"subscribe","payload":{payload}}}"#)).await;
    assert_eq!(code(&socket.refused("1").await), "JSON_TOO_DEEP");
    socket.subscribe("1", "{ warehouses }").await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn who_says_nothing_first_is_unauthorized() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::connect(&world).await;
    socket.subscribe("1", TICKS).await;
    assert_eq!(closed(socket).await, (4401, "Unauthorized".into()));
    assert_eq!(world.counts().of(|counts| &counts.ticks), 0);
}

#[tokio::test]
async fn a_bad_credential_is_forbidden() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::connect(&world).await;
    let payload = json!({ "authorization": "Bearer forged" });
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(closed(socket).await, (4403, "Forbidden: the token is not valid".into()));
}

#[tokio::test]
async fn a_second_init_is_one_too_many() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(closed(socket).await, (4429, "Too many initialisation requests".into()));
}

#[tokio::test]
async fn an_id_is_of_one_operation_at_a_time() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    socket.subscribe("one", TICKS).await;
    socket.subscribe("one", TICKS).await;
    assert_eq!(closed(socket).await, (4409, "Subscriber for one already exists".into()));

    let mut socket = Socket::open(&world, json!({})).await;
    socket.subscribe("one", TICKS).await;
    socket.next().await;
    socket.send(json!({ "id": "one", "type": "complete" })).await;
    socket.subscribe("one", "{ warehouses }").await;
    while socket.next().await["payload"]["data"] != json!({ "warehouses": 2 }) {}
}

#[tokio::test]
async fn another_protocol_is_not_acceptable() {
    let world = World::start(Subgraphs::Local).await;
    let url = format!("{}/graphql", world.url.replace("http", "ws"));
    let (stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert_eq!(closed(Socket(stream)).await, (4406, "Subprotocol not acceptable".into()));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_so() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.message_bytes = 10_000).await;
    let reason = "a message has at most 10000 bytes".to_owned();
    for bytes in [10_001, 100_000, 5_000_000] {
        let mut socket = Socket::open(&world, json!({})).await;
        socket.text(format!(r#"{{"type":"ping","payload":"{}"}}"#, "x".repeat(bytes))).await;
        assert_eq!(closed(socket).await, (1009, reason.clone()), "{bytes}");
    }
    let mut socket = Socket::open(&world, json!({})).await;
    piece(&mut socket, &"x".repeat(9_000), Data::Text, false).await;
    piece(&mut socket, &"x".repeat(9_000), Data::Continue, true).await;
    assert_eq!(closed(socket).await, (1009, reason));
}

async fn piece(socket: &mut Socket, text: &str, data: Data, is_last: bool) {
    let frame = Frame::message(text.to_owned(), OpCode::Data(data), is_last);
    socket.0.send(Message::Frame(frame)).await.unwrap();
}

#[tokio::test]
async fn a_message_may_come_in_pieces() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    piece(&mut socket, r#"{"id":"1","type":"subscri"#, Data::Text, false).await;
    piece(&mut socket, r#"be","payload":{"query":"#, Data::Continue, false).await;
    piece(&mut socket, r#""{ warehouses }"}}"#, Data::Continue, true).await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "warehouses": 2 } }));
}

#[tokio::test]
async fn messages_are_text() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({})).await;
    socket.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(closed(socket).await.0, 1003);
}

#[tokio::test]
async fn pings_are_answered() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::connect(&world).await;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn operations_on_one_socket_are_limited() {
    let world = World::start_with(Subgraphs::Local, |options| options.limits.operations_per_socket = 2).await;
    let mut socket = Socket::open(&world, json!({})).await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, TICKS).await;
    }
    let refused = loop {
        let message = socket.next().await;
        if message["id"] == "3" {
            break message;
        }
    };
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS", "{refused}");
    socket.send(json!({ "id": "1", "type": "complete" })).await;
    socket.subscribe("4", "{ warehouses }").await;
    while socket.next().await["payload"]["data"] != json!({ "warehouses": 2 }) {}
}

#[tokio::test]
async fn errors_have_the_id_of_the_operation_s_request() {
    let world = World::start(Subgraphs::Local).await;
    let mut socket = Socket::open(&world, json!({ "x-request-id": "mine" })).await;
    socket.subscribe("1", "{ product(id: \"2\") { brand } }").await;
    let answer: Value = socket.next().await["payload"].clone();
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], "mine", "{answer}");
    socket.subscribe("2", "{ nowhere }").await;
    socket.next().await;
    let refused = socket.refused("2").await;
    assert_eq!(refused["errors"][0]["extensions"]["requestId"], "mine", "{refused}");
}
