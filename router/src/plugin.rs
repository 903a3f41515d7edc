//! Our hooks into the router: which stage of a request calls which of our modules.

use std::collections::HashMap;

use hive_router::{
    async_trait,
    executor::{
        executors::common::SubgraphExecutorBoxedArc,
        hooks::{
            on_graphql_error::{OnGraphQLErrorHookPayload, OnGraphQLErrorHookResult},
            on_graphql_params::{OnGraphQLParamsStartHookPayload, OnGraphQLParamsStartHookResult},
            on_graphql_parse::{OnGraphQLParseHookResult, OnGraphQLParseStartHookPayload},
            on_graphql_validation::{
                OnGraphQLValidationStartHookPayload, OnGraphQLValidationStartHookResult,
            },
            on_http_request::{OnHttpRequestHookFuture, OnHttpRequestHookPayload},
            on_plugin_init::{OnPluginInitPayload, OnPluginInitResult},
            on_subgraph_execute::{OnSubgraphExecuteStartHookPayload, OnSubgraphExecuteStartHookResult},
        },
        plugins::plugin_trait::{EndHookPayload, RouterPlugin, StartHookPayload},
    },
    ntex::http::Response,
};
use http::StatusCode;

use crate::{
    CheckAuthorization, Limits, console, document, errors, identity, limits,
    requests::{self, Partitions, Requests},
    websocket::Check,
};

/// One per running router. It is put in place after the router's own start, since that knows plugins by type only.
pub(crate) struct Hooks {
    pub requests: Requests,
    /// By the name of the subgraph: those that are called without HTTP.
    pub local: HashMap<String, SubgraphExecutorBoxedArc>,
    pub check_authorization: Option<CheckAuthorization>,
    pub limits: Limits,
    pub partitions: Partitions,
    /// `None` until the router has said what it checks.
    pub over_websocket: Option<Check>,
}

impl Hooks {
    /// `Some`: what to answer instead of executing. Operations over WebSocket come read already, others as a body.
    fn refuse(&self, payload: &OnGraphQLParamsStartHookPayload) -> Option<Response> {
        let identity = || {
            let check = self.check_authorization.as_ref()?;
            identity::refuse(check, payload.router_http_request.headers)
        };
        let batch = || limits::refuse_batch(&payload.body);
        let deep = || {
            let query_string = payload.router_http_request.query_string;
            limits::refuse_deep_json(&payload.body, query_string, self.limits.json_nesting)
        };
        let invalid = || self.over_websocket.as_ref()?.refuse(payload.graphql_params.as_ref()?);
        batch().or_else(deep).or_else(identity).or_else(invalid)
    }
}

#[async_trait]
impl RouterPlugin for Hooks {
    type Config = ();

    fn plugin_name() -> &'static str {
        "souk"
    }

    fn on_plugin_init(_: OnPluginInitPayload<Self>) -> OnPluginInitResult<Self> {
        Err("the hooks are not made from configuration".into())
    }

    fn on_http_request<'req>(
        &'req self,
        payload: OnHttpRequestHookPayload<'req>,
    ) -> OnHttpRequestHookFuture<'req> {
        Box::pin(async {
            let request = &payload.router_http_request;
            match console::refuse_method(request).or_else(|| console::instead_of_endpoint(request)) {
                Some(response) => payload.end_with_response(response),
                None => requests::begin(payload, &self.requests),
            }
        })
    }

    async fn on_graphql_params<'exec>(
        &'exec self,
        payload: OnGraphQLParamsStartHookPayload<'exec>,
    ) -> OnGraphQLParamsStartHookResult<'exec> {
        match self.refuse(&payload) {
            Some(response) => payload.end_with_response(response),
            None => payload.proceed(),
        }
    }

    async fn on_graphql_parse<'exec>(
        &'exec self,
        payload: OnGraphQLParseStartHookPayload<'exec>,
    ) -> OnGraphQLParseHookResult<'exec> {
        let operation_name = payload.graphql_params.operation_name.as_deref();
        payload.on_end(move |end| match document::refuse(&end.document, operation_name, &self.limits) {
            Some(error) => end.end_with_response(errors::response(StatusCode::BAD_REQUEST, vec![error])),
            None => end.proceed(),
        })
    }

    async fn on_graphql_validation<'exec>(
        &'exec self,
        payload: OnGraphQLValidationStartHookPayload<'exec>,
    ) -> OnGraphQLValidationStartHookResult<'exec> {
        payload.add_inbound_dedupe_partition(self.partitions.of(&payload.document));
        payload.proceed()
    }

    async fn on_subgraph_execute<'exec>(
        &'exec self,
        mut payload: OnSubgraphExecuteStartHookPayload<'exec>,
    ) -> OnSubgraphExecuteStartHookResult<'exec> {
        requests::tell_subgraph(&mut payload.execution_request.headers, payload.context);
        if let Some(local) = self.local.get(payload.subgraph_name) {
            payload.executor = local.clone();
        }
        payload.proceed()
    }

    fn on_graphql_error<'req>(
        &'req self,
        mut payload: OnGraphQLErrorHookPayload<'req>,
    ) -> OnGraphQLErrorHookResult<'req> {
        errors::complete(&mut payload.error);
        payload.proceed()
    }
}
