//! Our hooks into the router: which stage of a request calls which of our modules.

use std::{collections::HashMap, sync::Arc};

use hive_router::{
    async_trait,
    executor::{
        executors::common::SubgraphExecutorBoxedArc,
        hooks::{
            on_graphql_error::{OnGraphQLErrorHookPayload, OnGraphQLErrorHookResult},
            on_graphql_params::{OnGraphQLParamsStartHookPayload, OnGraphQLParamsStartHookResult},
            on_http_request::{OnHttpRequestHookFuture, OnHttpRequestHookPayload},
            on_plugin_init::{OnPluginInitPayload, OnPluginInitResult},
            on_subgraph_execute::{OnSubgraphExecuteStartHookPayload, OnSubgraphExecuteStartHookResult},
            on_supergraph_load::Supergraph,
        },
        plugins::plugin_trait::{RouterPlugin, StartHookPayload},
    },
};

use crate::{CheckAuthorization, errors, identity, limits, requests};

/// One per running router. It is put in place after the router's own start, since that knows plugins by type only.
pub(crate) struct Hooks {
    pub supergraph: Arc<Supergraph>,
    /// By the name of the subgraph: those that are called without HTTP.
    pub local: HashMap<String, SubgraphExecutorBoxedArc>,
    pub check_authorization: Option<CheckAuthorization>,
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
        Box::pin(async { requests::begin(payload, &self.supergraph) })
    }

    async fn on_graphql_params<'exec>(
        &'exec self,
        payload: OnGraphQLParamsStartHookPayload<'exec>,
    ) -> OnGraphQLParamsStartHookResult<'exec> {
        if let Some(response) = limits::refuse_batch(&payload.body) {
            return payload.end_with_response(response);
        }
        let headers = payload.router_http_request.headers;
        match self.check_authorization.as_ref().and_then(|check| identity::refuse(check, headers)) {
            Some(response) => payload.end_with_response(response),
            None => payload.proceed(),
        }
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
