//! HTTP of a process: each subgraph under `/subgraphs/<name>`, health, metrics and the subgraphs' own routes.

use std::sync::Arc;

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::{Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::auth::{ClusterSecret, Keys};
use crate::graph::{Call, ClientAddress, Endpoint, RequestId};
use crate::probe::Unwritable;
use crate::{Database, telemetry};

/// The largest request body that a subgraph reads.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What each WebSocket sets aside for reading: subscriptions are short, and there are many.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024;
/// What the payload of `connection_init` may say instead of a header.
const IN_PAYLOAD: [&str; 3] = ["authorization", RequestId::HEADER, ClusterSecret::HEADER];
/// To who comes around the router.
const NOT_THE_ROUTER: &str =
    "subgraphs answer the router of their cluster only: ask the endpoint at /graphql";

/// What the health pages look at.
#[derive(Clone)]
struct Health {
    databases: Arc<[Database]>,
}

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn operations(databases: Vec<Database>) -> Router {
    Router::new()
        .route("/health/live", get(|| async { axum::Json(serde_json::json!({ "status": "live" })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Health { databases: databases.into() })
}

/// `/.well-known/jwks.json`: the public keys that verify access tokens, for whoever wants to verify one.
pub fn jwks(keys: Keys) -> Router {
    Router::new().route("/.well-known/jwks.json", get(async move || axum::Json(keys.jwks())))
}

async fn metrics(State(health): State<Health>) -> String {
    for db in health.databases.iter() {
        metrics::counter!("souk_sql_statements_total", "service" => db.service()).absolute(db.statements());
        metrics::counter!("souk_sql_looks_total", "service" => db.service()).absolute(db.looks());
    }
    telemetry::render_metrics()
}

async fn ready(State(health): State<Health>) -> Response {
    let states = health.databases.iter().map(|db| async { (db.service(), trouble(db).await) });
    let services = futures::future::join_all(states).await;
    let all = services.iter().all(|(_, trouble)| trouble.is_none());
    let services: serde_json::Map<_, _> = services
        .into_iter()
        .map(|(service, trouble)| (service.to_owned(), trouble.unwrap_or("ready").into()))
        .collect();
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (
        status,
        axum::Json(
            serde_json::json!({ "status": if all { "ready" } else { "not ready" }, "services": services }),
        ),
    )
        .into_response()
}

/// What keeps a service from working.
async fn trouble(db: &Database) -> Option<&'static str> {
    match db.ping().await {
        Ok(()) => db.unwritable().map(Unwritable::as_str),
        Err(_) => Some("database away"),
    }
}

/// A subgraph's GraphQL over HTTP, and its subscriptions over WebSocket at the same path: for who knows `secret`, and
/// nobody else. `None`: for everybody, who is then not believed whom they speak for.
pub fn subgraph(endpoint: Endpoint, secret: Option<ClusterSecret>) -> Router {
    let path = format!("/subgraphs/{}", endpoint.name());
    let door = Door { endpoint, secret };
    Router::new()
        .route(&path, get(subscribe).post(answer))
        .layer(middleware::from_fn_with_state(door.clone(), admit))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::new())
        .with_state(door)
}

/// A subgraph and who may come in.
#[derive(Clone)]
struct Door {
    endpoint: Endpoint,
    secret: Option<ClusterSecret>,
}

/// Refuses who does not know the secret. A WebSocket shows it in its first message: see [`subscribe`].
async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let is_socket = request.headers().contains_key(header::UPGRADE);
    let headers = request.headers_mut();
    match &door.secret {
        Some(secret) if !is_socket && !secret.admits(headers) => return not_the_router(),
        Some(_) => {}
        None => _ = headers.remove(ClientAddress::HEADER),
    }
    next.run(request).await
}

pub(crate) fn not_the_router() -> Response {
    let error = serde_json::json!({
        "message": NOT_THE_ROUTER,
        "extensions": { "code": "NOT_THE_ROUTER", "retryable": false },
    });
    (StatusCode::FORBIDDEN, axum::Json(serde_json::json!({ "errors": [error] }))).into_response()
}

async fn answer(
    State(door): State<Door>,
    headers: HeaderMap,
    axum::Json(call): axum::Json<Call>,
) -> Response {
    let reply = door.endpoint.answer(&headers, call).await;
    ([(header::CONTENT_TYPE, "application/json")], reply.headers, reply.body).into_response()
}

/// Who asks and under which request id comes with the upgrade, or in the payload of `connection_init`, where the router
/// puts what it would send as headers.
async fn subscribe(
    State(door): State<Door>,
    headers: HeaderMap,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    let endpoint = door.endpoint.clone();
    let upgrade = upgrade.protocols(async_graphql::http::ALL_WEBSOCKET_PROTOCOLS);
    upgrade.read_buffer_size(SOCKET_BUFFER_BYTES).on_upgrade(move |socket| {
        GraphQLWebSocket::new(socket, endpoint, protocol)
            .on_connection_init(async move |payload: serde_json::Value| {
                let headers = with_payload(headers, &payload);
                if door.secret.as_ref().is_some_and(|secret| !secret.admits(&headers)) {
                    return Err(NOT_THE_ROUTER.into());
                }
                Ok(door.endpoint.identify(&headers)?)
            })
            .serve()
    })
}

/// The upgrade's headers and, over them, those that `connection_init` names. Nobody tells by WebSocket where a client is.
fn with_payload(mut headers: HeaderMap, payload: &serde_json::Value) -> HeaderMap {
    headers.remove(ClientAddress::HEADER);
    let given = payload.get("headers").unwrap_or(payload).as_object();
    for (name, value) in given.into_iter().flatten() {
        let name = IN_PAYLOAD.iter().find(|known| name.eq_ignore_ascii_case(known));
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let Some((name, value)) = name.zip(value) {
            headers.insert(*name, value);
        }
    }
    headers
}
