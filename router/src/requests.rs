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
    ntex::http::{HeaderMap as NtexHeaders, Response, header::HeaderValue as NtexValue},
    telemetry::logging::request_id::REQUEST_IDENTIFIERS,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ALLOW, UPGRADE},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{
    Network,
    admission::Admission,
    config::GRAPHQL_PATH,
    cookies::drop_foreign_cookies,
    document, errors,
    media::{self, Media},
    origin,
    pages::ClientAddress,
};

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
    /// One permit for each WebSocket.
    pub sockets: Arc<Semaphore>,
    pub trusted_proxies: Vec<Network>,
    /// Origins whose pages may send cookies, beside the router's own.
    pub allowed_origins: Vec<String>,
}

/// Requests that agree in everything share one execution while it runs, but only within a partition. Queries are in one
/// for each form of answer, since its header is shared as well. Each subscription has its own: who joins another one would
/// miss the events before, above all the first, which says how things are.
#[derive(Default)]
pub(crate) struct Partitions(AtomicU64);

impl Partitions {
    /// Those below are for forms of answers.
    const FIRST: u64 = 16;

    pub(crate) fn of(&self, document: &Document, media: Media) -> u64 {
        let is_subscription = |operation| matches!(operation, &OperationDefinition::Subscription(_));
        match document::operations(document).any(is_subscription) {
            true => self.0.fetch_add(1, Ordering::Relaxed) + Self::FIRST,
            false => media as u64,
        }
    }
}

/// Notes id, address, media type and supergraph, and lets the answer carry the id.
pub(crate) fn begin<'req>(
    mut payload: OnHttpRequestHookPayload<'req>,
    requests: &Requests,
    admission: &Admission,
) -> OnHttpRequestHookResult<'req> {
    let address = note_address(&payload, requests);
    let mut media = None;
    if is_upgrade(payload.router_http_request.headers()) {
        if let Some(refused) = note_socket(&payload, requests, admission, address) {
            return payload.end_with_response(refused);
        }
    } else if payload.router_http_request.path() == GRAPHQL_PATH {
        (payload.router_http_request, media) = media::agree(payload.router_http_request);
        match media {
            Some(media) => drop(payload.context.insert(media)),
            None => return payload.end_with_response(errors::not_acceptable()),
        }
    }
    drop_foreign_cookies(payload.router_http_request.headers_mut(), &requests.allowed_origins);
    let running = requests.running.token();
    payload.set_supergraph(requests.supergraph.clone());
    let id = id().and_then(|id| NtexValue::try_from(id).ok());
    if let Some(id) = id.clone() {
        payload.router_http_request.headers_mut().insert(REQUEST_ID, id);
    }
    payload.on_end(move |payload| {
        drop(running);
        payload
            .map_response(|response| {
                let mut response = media::events(response, media);
                if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                    response.headers_mut().insert(ALLOW, NtexValue::from_static("GET, POST"));
                }
                if let Some(id) = id {
                    response.headers_mut().insert(REQUEST_ID, id);
                }
                response
            })
            .proceed()
    })
}

fn note_address(payload: &OnHttpRequestHookPayload, requests: &Requests) -> Option<ClientAddress> {
    let request = &payload.router_http_request;
    let address = origin::of(request.peer_addr()?, request.headers(), &requests.trusted_proxies);
    payload.context.insert(address);
    request.extensions_mut().insert(address);
    Some(address)
}

/// The socket's handler holds the request, with what is counted in it, as long as the socket is open.
fn note_socket(
    payload: &OnHttpRequestHookPayload,
    requests: &Requests,
    admission: &Admission,
    address: Option<ClientAddress>,
) -> Option<Response> {
    let Ok(permit) = requests.sockets.clone().try_acquire_owned() else {
        return Some(errors::overloaded());
    };
    let socket = Arc::new(());
    let refused = admission.open(Arc::downgrade(&socket), address.map(|address| address.0.ip()));
    payload.router_http_request.extensions_mut().insert((permit, socket));
    refused
}

pub(crate) fn is_upgrade(headers: &NtexHeaders) -> bool {
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
