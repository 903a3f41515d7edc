//! HTTP of a process: each subgraph under `/subgraphs/<name>`, health, metrics and the subgraphs' own routes.

use std::sync::Arc;

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::auth::Keys;
use crate::graph::{Call, Endpoint};
use crate::{Database, telemetry};

/// The largest request body that a subgraph reads.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

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
    }
    telemetry::render_metrics()
}

async fn ready(State(health): State<Health>) -> Response {
    let pings = health.databases.iter().map(|db| async { (db.service(), db.ping().await.is_ok()) });
    let services = futures::future::join_all(pings).await;
    let all = services.iter().all(|(_, ok)| *ok);
    let services: serde_json::Map<_, _> = services
        .into_iter()
        .map(|(service, ok)| (service.to_owned(), if ok { "ready" } else { "database away" }.into()))
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

/// A subgraph's GraphQL over HTTP, and its subscriptions over WebSocket at the same path.
pub fn subgraph(endpoint: Endpoint) -> Router {
    Router::new()
        .route(&format!("/subgraphs/{}", endpoint.name()), get(subscribe).post(answer))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::new())
        .with_state(endpoint)
}

async fn answer(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    axum::Json(call): axum::Json<Call>,
) -> Response {
    let body: Bytes = endpoint.answer(&headers, call).await;
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The token comes with the upgrade, or in the payload of `connection_init` where headers cannot be set.
async fn subscribe(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    let identified = endpoint.clone();
    let upgrade = upgrade.protocols(async_graphql::http::ALL_WEBSOCKET_PROTOCOLS);
    upgrade.on_upgrade(move |socket| {
        GraphQLWebSocket::new(socket, endpoint, protocol)
            .on_connection_init(async move |payload: serde_json::Value| {
                Ok(identified.identify(&with_payload(headers, &payload))?)
            })
            .serve()
    })
}

/// The upgrade's headers and, over them, those that `connection_init` names.
fn with_payload(mut headers: HeaderMap, payload: &serde_json::Value) -> HeaderMap {
    let given = payload.get("headers").unwrap_or(payload).as_object();
    let authorization = given
        .and_then(|fields| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")))
        .and_then(|(_, value)| HeaderValue::from_str(value.as_str()?).ok());
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    headers
}
