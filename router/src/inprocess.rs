//! Subgraphs in this process are called directly: no HTTP, no socket.

use std::{
    collections::BTreeMap, convert::Infallible, fmt::Display, future::poll_fn, panic::AssertUnwindSafe,
    pin::pin, sync::Arc, time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};
use hive_router::{
    async_trait,
    executor::{
        executors::{
            common::{SubgraphExecutionRequest, SubgraphExecutor},
            error::SubgraphExecutorError,
            inflight::InFlightMap,
        },
        plugins::plugin_context::PluginRequestState,
        response::subgraph_response::SubgraphResponse,
    },
    sonic_rs,
    telemetry::TelemetryContext,
};
use http::{HeaderMap, HeaderName, Uri};
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::requests::{CLIENT_ADDRESS, REQUEST_ID};

/// A subgraph that lives in this process.
pub trait LocalSubgraph: Send + Sync {
    /// Executes a query or a mutation. The application's runtime is around it, whichever thread it is on. `headers` are those that it would get over HTTP.
    fn answer(&self, headers: HeaderMap, call: Call) -> BoxFuture<'static, Answer>;
}

/// One operation for one subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// The same text for each execution of the same plan, so that a parsed form can be kept by it.
    pub document: Arc<str>,
    pub operation_name: Option<String>,
    /// A JSON object; `{}` when there are none.
    pub variables: Bytes,
}

/// What a subgraph says.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Those that concern the client (`set-cookie`) are passed on; the others are dropped.
    pub headers: HeaderMap,
    /// The GraphQL response, in JSON.
    pub body: Bytes,
}

/// Headers that tell one request from another without changing what a query is answered.
const CORRELATION: [HeaderName; 5] = [
    REQUEST_ID,
    CLIENT_ADDRESS,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
];

/// Two queries with the same of these get the same answer. It is compared, not hashed to a number: two viewers must
/// never meet by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Same {
    call: Call,
    headers: Vec<(HeaderName, Vec<u8>)>,
}

/// Calls a [`LocalSubgraph`] where the router would send HTTP.
pub(crate) struct LocalExecutor {
    subgraph: Arc<dyn LocalSubgraph>,
    runtime: Handle,
    telemetry: TelemetryContext,
    in_flight: InFlightMap<Same, Answer>,
    endpoint: Uri,
}

impl LocalExecutor {
    pub(crate) fn new(
        subgraph: Arc<dyn LocalSubgraph>,
        runtime: Handle,
        telemetry: TelemetryContext,
    ) -> Self {
        let endpoint = Uri::from_static("http://local");
        LocalExecutor { subgraph, runtime, telemetry, in_flight: InFlightMap::default(), endpoint }
    }

    async fn answer(&self, request: SubgraphExecutionRequest<'_>) -> Result<Answer, SubgraphExecutorError> {
        let call = call(&request)?;
        let is_query = request.dedupe;
        let mut headers = request.headers;
        if !is_query {
            return Ok(self.mutate(headers, call).await);
        }
        let same = Same { headers: identity(&headers), call: call.clone() };
        self.telemetry.inject_context_into_http_headers(&mut headers);
        let claim = self.in_flight.claim(same);
        let answer =
            claim.get_or_try_init(async || Ok::<_, Infallible>(self.query(headers, call).await)).await;
        let Ok((answer, _)) = answer;
        Ok(Arc::unwrap_or_clone(answer))
    }

    /// Ends when nobody waits for it any more.
    async fn query(&self, headers: HeaderMap, call: Call) -> Answer {
        let work = AssertUnwindSafe(self.subgraph.answer(headers, call)).catch_unwind();
        here(&self.runtime, work).await.unwrap_or_else(|_| died("it panicked"))
    }

    /// Once begun it is brought to its end, also when the client has gone.
    async fn mutate(&self, mut headers: HeaderMap, call: Call) -> Answer {
        self.telemetry.inject_context_into_http_headers(&mut headers);
        let work = self.subgraph.answer(headers, call).in_current_span();
        self.runtime.spawn(work).await.unwrap_or_else(died)
    }
}

#[async_trait]
impl SubgraphExecutor for LocalExecutor {
    fn executor_name(&self) -> &str {
        "local"
    }

    fn endpoint(&self) -> &Uri {
        &self.endpoint
    }

    async fn execute<'a>(
        &self,
        request: SubgraphExecutionRequest<'a>,
        timeout: Option<Duration>,
        _: Option<&'a PluginRequestState<'a>>,
    ) -> Result<SubgraphResponse<'static>, SubgraphExecutorError> {
        let custom_scalars = request.custom_scalar_paths;
        let answer = match timeout {
            Some(timeout) => tokio::time::timeout(timeout, self.answer(request)).await??,
            None => self.answer(request).await?,
        };
        let mut response = SubgraphResponse::deserialize_from_bytes(answer.body, custom_scalars)?;
        response.headers = Some(Arc::new(answer.headers));
        Ok(response)
    }

    /// The router takes the transport of subscriptions from its configuration and does not ask plugins.
    async fn subscribe<'a>(
        &self,
        _: SubgraphExecutionRequest<'a>,
        _: Option<Duration>,
    ) -> Result<
        BoxStream<'static, Result<SubgraphResponse<'static>, SubgraphExecutorError>>,
        SubgraphExecutorError,
    > {
        Err(SubgraphExecutorError::StaticEndpointNotFound)
    }
}

fn call(request: &SubgraphExecutionRequest<'_>) -> Result<Call, SubgraphExecutorError> {
    Ok(Call {
        document: request.query.into(),
        operation_name: request.operation_name.clone(),
        variables: variables(request)?,
    })
}

/// Sorted by name, so that the same variables are the same bytes.
fn variables(request: &SubgraphExecutionRequest<'_>) -> Result<Bytes, SubgraphExecutorError> {
    let mut values: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, value) in request.variables.iter().flatten() {
        let json = sonic_rs::to_vec(value).map_err(|error| {
            SubgraphExecutorError::VariablesSerializationFailure((*name).to_owned(), error)
        })?;
        values.insert(name, json);
    }
    for (name, json) in request.raw_variable_values.iter().flatten() {
        values.insert(name, json.clone());
    }
    let mut object = Vec::with_capacity(values.values().map(Vec::len).sum::<usize>() + 64);
    for (name, json) in values {
        object.push(if object.is_empty() { b'{' } else { b',' });
        object.extend([b"\"", name.as_bytes(), b"\":", &json].concat());
    }
    object.extend_from_slice(if object.is_empty() { b"{}" } else { b"}" });
    Ok(object.into())
}

/// All headers that a subgraph could look at, those of correlation left out.
fn identity(headers: &HeaderMap) -> Vec<(HeaderName, Vec<u8>)> {
    let mut identity: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !CORRELATION.contains(name))
        .map(|(name, value)| (name.clone(), value.as_bytes().to_vec()))
        .collect();
    identity.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
    identity
}

/// A subgraph that panicked, or the runtime that is shutting down.
/// Does `work` on this thread with the application's runtime around it: no other thread is woken for what is ready at
/// once, which is most of a query.
async fn here<T>(runtime: &Handle, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let _entered = runtime.enter();
        work.as_mut().poll(cx)
    })
    .await
}

fn died(error: impl Display) -> Answer {
    tracing::error!(%error, "A subgraph did not finish its call: {error}");
    let body = r#"{"data":null,"errors":[{"message":"something failed on our side","extensions":{"code":"INTERNAL"}}]}"#;
    Answer { headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
}
