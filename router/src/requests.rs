//! What holds for each request: its id, its client's address, the supergraph it runs on.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use hive_router::{
    executor::{
        hooks::{
            on_http_request::{OnHttpRequestHookPayload, OnHttpRequestHookResult},
            on_supergraph_load::Supergraph,
        },
        plugins::{
            plugin_context::PluginContext,
            plugin_trait::{EndHookPayload, StartHookPayload},
        },
    },
    graphql_tools::static_graphql::query::{Document, OperationDefinition},
    ntex::http::{HeaderMap as NtexHeaders, header::HeaderValue as NtexValue},
    telemetry::logging::request_id::REQUEST_IDENTIFIERS,
};
use http::{HeaderMap, HeaderName, HeaderValue, header::UPGRADE};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{document, errors, pages::ClientAddress};

/// The id of a request, given by the client or made here; in logs, in errors, towards subgraphs and in the answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Towards subgraphs: where the client's connection comes from. A value sent by the client is never passed on.
pub(crate) const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-client-address");

/// The id of the request that is being handled. `None` outside of one.
pub(crate) fn id() -> Option<String> {
    REQUEST_IDENTIFIERS.try_with(|ids| ids.req_id().to_owned()).ok()
}

/// What the requests of one router share.
pub(crate) struct Requests {
    pub supergraph: Arc<Supergraph>,
    /// Requests that have no answer yet.
    pub running: TaskTracker,
    /// One permit for each WebSocket. The router counts them as well, but forgets them after the handshake.
    pub sockets: Arc<Semaphore>,
}

/// Requests that agree in everything share one execution while it runs, but only within a partition. Queries are all in
/// one. Each subscription has its own: who joins another one would miss the events before, above all the first, which
/// says how things are.
#[derive(Default)]
pub(crate) struct Partitions(AtomicU64);

impl Partitions {
    const SHARED: u64 = 0;

    pub(crate) fn of(&self, document: &Document) -> u64 {
        let is_subscription = |operation| matches!(operation, &OperationDefinition::Subscription(_));
        match document::operations(document).any(is_subscription) {
            true => self.0.fetch_add(1, Ordering::Relaxed) + 1,
            false => Self::SHARED,
        }
    }
}

/// Notes id, address and supergraph, and lets the answer carry the id.
pub(crate) fn begin<'req>(
    mut payload: OnHttpRequestHookPayload<'req>,
    requests: &Requests,
) -> OnHttpRequestHookResult<'req> {
    if is_upgrade(payload.router_http_request.headers()) {
        let Ok(permit) = requests.sockets.clone().try_acquire_owned() else {
            return payload.end_with_response(errors::overloaded());
        };
        // The socket's handler holds the request, with this in it, as long as the socket is open.
        payload.router_http_request.extensions_mut().insert(permit);
    }
    let running = requests.running.token();
    payload.set_supergraph(requests.supergraph.clone());
    if let Some(address) = payload.router_http_request.peer_addr() {
        payload.context.insert(ClientAddress(address));
    }
    let id = id().and_then(|id| NtexValue::try_from(id).ok());
    if let Some(id) = id.clone() {
        payload.router_http_request.headers_mut().insert(REQUEST_ID, id);
    }
    payload.on_end(move |payload| {
        drop(running);
        payload
            .map_response(|mut response| {
                if let Some(id) = id {
                    response.headers_mut().insert(REQUEST_ID, id);
                }
                response
            })
            .proceed()
    })
}

fn is_upgrade(headers: &NtexHeaders) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// What a subgraph is told beyond the client's own headers.
pub(crate) fn tell_subgraph(headers: &mut HeaderMap, context: &PluginContext) {
    if let Some(id) = id().and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.remove(CLIENT_ADDRESS);
    if let Some(address) = context.get_ref::<ClientAddress>() {
        let address = address.0.ip().to_string();
        headers.extend(HeaderValue::try_from(address).map(|value| (CLIENT_ADDRESS, value)));
    }
}
