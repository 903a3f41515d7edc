//! From a socket into the router: each operation becomes a request such as it comes over HTTP, and is answered like one.

use std::sync::Arc;

use hive_router::{
    RouterSharedState, SchemaState,
    executor::{
        headers::response::ResponseHeaderSink,
        hooks::on_supergraph_load::Supergraph,
        plugins::plugin_context::PluginContext,
        request_context::{RequestContextExt, SharedRequestContext},
    },
    ntex::{
        http::{
            HeaderMap, Response,
            header::{ACCEPT, CONTENT_TYPE, HeaderValue},
        },
        web::{HttpRequest, test::TestRequest, types::Payload},
    },
    opentelemetry::Context,
    pipeline::{
        error::handle_pipeline_error, graphql_request_handler, header::ResponseMode, timeout::handle_timeout,
    },
    telemetry::{
        logging::request_id::RequestIdentifiers, traces::spans::http_request::HttpServerRequestSpan,
    },
    tracing::Instrument,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    CheckAuthorization, Limits, Refusal,
    config::GRAPHQL_PATH,
    identity,
    media::Media,
    pages::ClientAddress,
    requests::{self, REQUEST_ID},
};

/// An answer or a stream of answers, and a status that says whether the operation was begun.
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, text/event-stream;q=0.9");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One for all sockets of a router.
pub(crate) struct Gateway {
    pub shared: Arc<RouterSharedState>,
    pub schemas: Arc<SchemaState>,
    pub supergraph: Arc<Supergraph>,
    pub check_authorization: Option<CheckAuthorization>,
    pub limits: Limits,
    /// Operations that have no answer yet.
    pub running: TaskTracker,
    /// Cancelled when the sockets are to be closed.
    pub closing: CancellationToken,
}

impl Gateway {
    /// Why the credential of a new connection is not good.
    pub(super) fn refuse(&self, headers: &HeaderMap) -> Option<Refusal> {
        identity::viewer(self.check_authorization.as_ref()?, headers).err()
    }

    /// A new request.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Arc<RequestIdentifiers> {
        let extractor = &self.shared.telemetry_context.logging_correlation_extractor;
        Arc::new(extractor.extract(headers, &Context::new()))
    }

    /// Executes the operation for a client with these headers.
    pub(super) async fn answer(
        &self,
        headers: HeaderMap,
        address: Option<ClientAddress>,
        operation: String,
    ) -> Response {
        let _running = self.running.token();
        let (mut request, body) = self.request(&headers, address, operation);
        let span = HttpServerRequestSpan::from_request(&request, &None);
        let mut mode = ResponseMode::default();
        let answer = graphql_request_handler(
            &mut request,
            body,
            &self.shared,
            &self.schemas,
            &span,
            &mut mode,
            ResponseHeaderSink::default(),
        );
        let answer = handle_timeout(answer, &self.shared).instrument(span.span.clone()).await;
        answer.unwrap_or_else(|error| handle_pipeline_error(error, &request, &self.shared, &mode))
    }

    fn request(
        &self,
        headers: &HeaderMap,
        address: Option<ClientAddress>,
        operation: String,
    ) -> (HttpRequest, Payload) {
        let mut request = TestRequest::post().uri(GRAPHQL_PATH).set_payload(operation);
        for (name, value) in headers {
            request = request.header(name.clone(), value.clone());
        }
        request = request.header(ACCEPT, ACCEPTED).header(CONTENT_TYPE, JSON);
        if let Some(id) = requests::id().and_then(|id| HeaderValue::try_from(id).ok()) {
            request = request.header(REQUEST_ID, id);
        }
        let (mut request, body) = request.to_http_parts();
        let context = PluginContext::default();
        context.insert(Media::GraphQLResponse);
        if let Some(address) = address {
            context.insert(address);
        }
        request.write_request_context(SharedRequestContext::default());
        request.extensions_mut().insert(Arc::new(context));
        request.extensions_mut().insert(self.supergraph.snapshot());
        (request, Payload(body))
    }
}
