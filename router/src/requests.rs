//! What holds for each request: its id, its client's address, the supergraph it runs on.

use std::sync::Arc;

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
    ntex::http::header::HeaderValue as NtexValue,
    telemetry::logging::request_id::REQUEST_IDENTIFIERS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::pages::ClientAddress;

/// The id of a request, given by the client or made here; in logs, in errors, towards subgraphs and in the answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Towards subgraphs: where the client's connection comes from. A value sent by the client is never passed on.
pub(crate) const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-client-address");

/// The id of the request that is being handled. `None` outside of one.
pub(crate) fn id() -> Option<String> {
    REQUEST_IDENTIFIERS.try_with(|ids| ids.req_id().to_owned()).ok()
}

/// Notes id, address and supergraph, and lets the answer carry the id. `running` is held until then.
pub(crate) fn begin<'req>(
    mut payload: OnHttpRequestHookPayload<'req>,
    supergraph: &Arc<Supergraph>,
    running: TaskTrackerToken,
) -> OnHttpRequestHookResult<'req> {
    payload.set_supergraph(supergraph.clone());
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
