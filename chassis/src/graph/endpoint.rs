//! The one function that answers a query or mutation for a subgraph.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Data, Executor, Request, Response, ServerError, Variables};
use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Deserialize;
use tracing::{Instrument, info_span};

use super::Graph;
use super::batch::batched;
use super::client::ClientAddress;
use super::cookie::Cookies;
use super::edge::{RequestId, present};
use super::input::Sent;
use crate::auth::{Keys, Viewer};
use crate::{Denied, telemetry};

/// Parsed documents kept for each subgraph: the router sends the same few over and over.
const DOCUMENTS_MAX: u64 = 1_000;
/// A document longer than this is parsed each time rather than kept.
const DOCUMENT_LENGTH_MAX: usize = 16 * 1024;

/// A query or mutation as the router sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub query: String,
    #[serde(default)]
    pub operation_name: Option<String>,
    #[serde(default)]
    pub variables: Variables,
}

/// What a subgraph says to a call.
#[derive(Clone, Debug)]
pub struct Reply {
    /// For the client: `set-cookie`, and nothing else.
    pub headers: HeaderMap,
    /// The GraphQL response, in JSON.
    pub body: Bytes,
}

/// A subgraph that answers.
#[derive(Clone)]
pub struct Endpoint {
    name: &'static str,
    graph: Graph,
    keys: Keys,
    documents: moka::sync::Cache<String, Arc<ExecutableDocument>>,
}

impl Endpoint {
    pub fn new(name: &'static str, graph: Graph, keys: Keys) -> Self {
        Self { name, graph, keys, documents: moka::sync::Cache::new(DOCUMENTS_MAX) }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn sdl(&self) -> String {
        self.graph.sdl()
    }

    /// Answers a query or mutation.
    pub async fn answer(&self, headers: &HeaderMap, call: Call) -> Reply {
        let request_id = RequestId::of(headers);
        let span =
            info_span!("subgraph", otel.name = self.name, subgraph = self.name, request.id = request_id.0);
        telemetry::continue_from(&span, headers);
        let started = Instant::now();
        let response = self.execute(headers, call, &request_id).instrument(span).await;
        let outcome = if response.is_ok() { "ok" } else { "error" };
        metrics::counter!("souk_subgraph_requests_total", "subgraph" => self.name, "outcome" => outcome)
            .increment(1);
        metrics::histogram!("souk_subgraph_request_seconds", "subgraph" => self.name)
            .record(started.elapsed().as_secs_f64());
        let headers = cookies(&response.http_headers);
        Reply {
            headers,
            body: serde_json::to_vec(&response).expect("a GraphQL response is plain data").into(),
        }
    }

    async fn execute(&self, headers: &HeaderMap, call: Call, request_id: &RequestId) -> Response {
        let response = match self.request(headers, call, request_id) {
            Ok(request) => self.run(request).await,
            Err(error) => Response::from_errors(vec![error]),
        };
        present(response, request_id)
    }

    async fn run(&self, mut request: Request) -> Response {
        let variables = std::mem::take(&mut request.variables);
        let (sent, is_mutation) = match request.parsed_query() {
            Ok(document) => (Sent::with(document, &variables), is_mutation(document)),
            Err(error) => return Response::from_errors(vec![error]),
        };
        let mut response = batched(self.graph.execute(request.variables(variables))).await;
        sent.locate(&mut response.errors);
        // A query's answer may be shared by several clients: it sets nobody's cookies.
        if !is_mutation {
            response.http_headers.clear();
        }
        response
    }

    fn request(
        &self,
        headers: &HeaderMap,
        call: Call,
        request_id: &RequestId,
    ) -> Result<Request, ServerError> {
        let data = self.identify(headers).map_err(server_error)?;
        let document = self.parse(&call.query)?;
        let mut request = Request::new(call.query).variables(call.variables);
        request.set_parsed_query(document);
        request.data = data;
        request.data.insert(request_id.clone());
        Ok(match call.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        })
    }

    fn parse(&self, query: &str) -> Result<ExecutableDocument, ServerError> {
        if let Some(document) = self.documents.get(query) {
            return Ok(ExecutableDocument::clone(&document));
        }
        let document = async_graphql::parser::parse_query(query).map_err(ServerError::from)?;
        if query.len() <= DOCUMENT_LENGTH_MAX {
            self.documents.insert(query.into(), Arc::new(document.clone()));
        }
        Ok(document)
    }

    /// Puts who asks and from where, as far as that is known, where resolvers look.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Data, Denied> {
        let mut data = Data::default();
        if let Some(viewer) = self.keys.viewer(headers)? {
            data.insert(Viewer::clone(&viewer));
        }
        if let Some(address) = ClientAddress::of(headers) {
            data.insert(address);
        }
        if let Some(cookies) = Cookies::of(headers) {
            data.insert(cookies);
        }
        data.insert(RequestId::of(headers));
        Ok(data)
    }
}

impl Executor for Endpoint {
    async fn execute(&self, request: Request) -> Response {
        self.graph.execute(request).await
    }

    fn execute_stream(
        &self,
        mut request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let request_id = session
            .as_ref()
            .and_then(|data| data.get(&std::any::TypeId::of::<RequestId>()))
            .and_then(|id| id.downcast_ref::<RequestId>())
            .cloned()
            .unwrap_or_else(|| RequestId::of(&HeaderMap::new()));
        let variables = request.variables.clone();
        let sent = request.parsed_query().map(|document| Sent::with(document, &variables)).ok();
        let responses = self.graph.execute_stream(request, session);
        let presented = responses.map(move |mut response| {
            if let Some(sent) = &sent {
                sent.locate(&mut response.errors);
            }
            present(response, &request_id)
        });
        presented.boxed()
    }
}

fn server_error(denied: Denied) -> ServerError {
    async_graphql::Error::from(denied).into_server_error(Default::default())
}

/// The router sends one operation at a time.
fn is_mutation(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Mutation)
}

/// Of what resolvers said beside the body, what is for the client.
fn cookies(headers: &HeaderMap) -> HeaderMap {
    let lines = headers.get_all(header::SET_COOKIE).iter();
    lines.map(|line| (header::SET_COOKIE, line.clone())).collect()
}
