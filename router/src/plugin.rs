//! Our hooks into the router: which stage of a request calls which of our modules.

use std::collections::HashMap;

use hive_router::{
    GraphQLError, async_trait,
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
        plugins::{
            plugin_context::PluginContext,
            plugin_trait::{EndHookPayload, RouterPlugin, StartHookPayload},
        },
    },
    ntex::http::Response,
};

use crate::{
    CheckAuthorization, Limits,
    admission::{Admission, Viewer},
    console,
    cost::{self, Asked},
    document, errors, identity, limits,
    media::Media,
    requests::{self, Partitions, Requests},
    shapes::Shapes,
    variables,
};

/// One per running router. It is put in place after the router's own start, since that knows plugins by type only.
pub(crate) struct Hooks {
    pub requests: Requests,
    /// By the name of the subgraph: those that are called without HTTP.
    pub local: HashMap<String, SubgraphExecutorBoxedArc>,
    pub check_authorization: Option<CheckAuthorization>,
    pub limits: Limits,
    pub admission: Admission,
    pub shapes: Shapes,
    pub partitions: Partitions,
}

/// Known with the document, said when the document is valid: why it is not executed.
struct Verdict(Vec<GraphQLError>);

impl Hooks {
    /// `Some`: what to answer instead of reading the operation.
    fn refuse(&self, payload: &OnGraphQLParamsStartHookPayload) -> Option<Response> {
        let request = payload.router_http_request;
        let knock = || self.admission.knock(payload.context);
        let batch = || limits::refuse_batch(&payload.body);
        let deep = || limits::refuse_deep_json(&payload.body, request.query_string, self.limits.json_nesting);
        let identity = || match identity::viewer(self.check_authorization.as_ref()?, request.headers) {
            Ok(None) => None,
            Ok(Some(viewer)) => {
                payload.context.insert(Viewer(viewer));
                None
            }
            Err(refusal) => Some(identity::refused(refusal)),
        };
        knock().or_else(batch).or_else(deep).or_else(identity)
    }

    /// `Some`: what to answer instead of validating the operation.
    fn refuse_operation(&self, asked: &Asked, context: &PluginContext) -> Option<Response> {
        if let Some(error) = document::refuse(asked.document, asked.operation_name, &self.limits) {
            return Some(errors::refusal(media(context), vec![error]));
        }
        let (operation, cost) = (asked.operation()?, asked.cost(&self.shapes));
        let verdict = if self.limits.cost > 0 && cost > self.limits.cost {
            vec![cost::too_high(cost, self.limits.cost)]
        } else {
            let refused = self.admission.refuse(cost, asked.is_subscription(), context);
            if refused.is_some() {
                return refused;
            }
            variables::wrong(document::variables_of(operation), asked.variables, &self.shapes)
        };
        context.insert(Verdict(verdict));
        None
    }
}

fn media(context: &PluginContext) -> Media {
    context.get_ref::<Media>().map_or(Media::Json, |media| *media)
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
                None => requests::begin(payload, &self.requests, &self.admission),
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
        let (params, context) = (payload.graphql_params, payload.context);
        payload.on_end(move |end| {
            let asked = Asked {
                document: &end.document,
                operation_name: params.operation_name.as_deref(),
                variables: &params.variables,
            };
            match self.refuse_operation(&asked, context) {
                Some(response) => end.end_with_response(response),
                None => end.proceed(),
            }
        })
    }

    async fn on_graphql_validation<'exec>(
        &'exec self,
        payload: OnGraphQLValidationStartHookPayload<'exec>,
    ) -> OnGraphQLValidationStartHookResult<'exec> {
        payload.add_inbound_dedupe_partition(self.partitions.of(&payload.document, media(payload.context)));
        let context = payload.context;
        payload.on_end(move |end| {
            let verdict = context.get_mut::<Verdict>().map(|mut verdict| std::mem::take(&mut verdict.0));
            match verdict {
                Some(verdict) if end.errors.is_empty() && !verdict.is_empty() => {
                    end.end_with_response(errors::refusal(media(context), verdict))
                }
                _ => end.proceed(),
            }
        })
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
        payload.status_code = errors::status_of(&payload.error, payload.status_code);
        payload.proceed()
    }
}
