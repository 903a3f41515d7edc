//! A subgraph's schema without its types, and the one function that answers a request for it: over HTTP, over a
//! WebSocket or called by the router in the same process, the answer is the same.

mod batch;
mod client;
mod cookie;
mod edge;
mod endpoint;
mod input;
mod load;

use std::sync::Arc;

use async_graphql::{
    Data, Executor, ObjectType, Request, Response, SDLExportOptions, Schema, SchemaBuilder, SubscriptionType,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;

pub use client::ClientAddress;
pub use cookie::Cookies;
pub use edge::RequestId;
pub use endpoint::{Call, Endpoint, Reply};
pub(crate) use input::BAD_USER_INPUT;
pub use load::{Found, failure, load, load_many, loader, shared};

/// A finished schema, whatever its roots are.
#[derive(Clone)]
pub struct Graph(Arc<dyn AnySchema>);

trait AnySchema: Send + Sync {
    fn sdl(&self) -> String;
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;
    fn stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response>;
}

impl<Q, M, S> AnySchema for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        self.sdl_with_options(
            SDLExportOptions::new().federation().compose_directive().sorted_fields().sorted_enum_items(),
        )
    }

    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let schema = self.clone();
        Box::pin(async move { schema.execute(request).await })
    }

    fn stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        Executor::execute_stream(self, request, session)
    }
}

impl Graph {
    /// Finishes a schema as a federation subgraph. Its roots must be named `Query`, `Mutation` and `Subscription`.
    pub fn new<Q, M, S>(schema: SchemaBuilder<Q, M, S>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        Self(Arc::new(schema.enable_federation().enable_subscription_in_federation().finish()))
    }

    /// The subgraph's SDL with its federation directives, as composition wants it.
    pub fn sdl(&self) -> String {
        self.0.sdl()
    }
}

impl Executor for Graph {
    fn execute(&self, request: Request) -> impl Future<Output = Response> + Send {
        self.0.execute(request)
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.0.stream(request, session)
    }
}
