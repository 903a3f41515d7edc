//! Two small subgraphs: `goods` has products, `stock` knows how many there are.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::http::{ALL_WEBSOCKET_PROTOCOLS, WebSocket, WebSocketProtocols, WsMessage};
use async_graphql::{
    ComplexObject, Context, Data, EmptyMutation, EmptySubscription, Enum, Executor, ID, InputObject, Object,
    ObjectType, Request, SDLExportOptions, Schema, SchemaBuilder, SimpleObject, Subscription,
    SubscriptionType, Variables,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message};
use axum::extract::{State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use futures::{SinkExt, Stream, StreamExt, stream};
use router::{Answer, Call, LocalSubgraph};
use serde_json::{Value, json};

/// How long the slow field takes: long enough for several requests to meet.
const SLOW: Duration = Duration::from_millis(200);

/// How often things happened, and by which way they came.
#[derive(Default)]
pub struct Counts {
    pub http: AtomicUsize,
    pub local: AtomicUsize,
    pub slow: AtomicUsize,
    pub renamed: AtomicUsize,
    /// Subscriptions to `ticks` that were ever begun.
    pub ticks: AtomicUsize,
}

impl Counts {
    pub fn of(&self, count: impl Fn(&Self) -> &AtomicUsize) -> usize {
        count(self).load(Ordering::SeqCst)
    }
}

/// What the subgraphs share with the test.
#[derive(Clone, Default)]
pub struct Shared(pub Arc<Counts>);

impl Shared {
    fn count(&self, count: impl Fn(&Counts) -> &AtomicUsize) {
        count(&self.0).fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Product {
    id: ID,
    title: String,
}

#[ComplexObject]
impl Product {
    async fn similar(&self, first: Option<i32>) -> Vec<Product> {
        (0..first.unwrap_or(1)).map(|_| product("1")).collect()
    }

    async fn brand(&self) -> async_graphql::Result<Option<String>> {
        match self.id.as_str() {
            "2" => Err("the brand is not known".into()),
            _ => Ok(Some("Çelik & Söhne \"™\" \u{1F45F}".to_owned())),
        }
    }
}

fn product(id: &str) -> Product {
    Product { id: id.into(), title: format!("Product {id}") }
}

fn header(ctx: &Context<'_>, name: &str) -> Option<String> {
    let headers = ctx.data_opt::<HeaderMap>()?;
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

struct Goods;

#[Object(name = "Query")]
impl Goods {
    async fn products(&self, first: Option<i32>) -> Vec<Product> {
        (1..=first.unwrap_or(3)).map(|id| product(&id.to_string())).collect()
    }

    async fn product(&self, id: ID) -> Option<Product> {
        (id.as_str() != "nothing").then(|| product(&id))
    }

    async fn slow(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Shared>().count(|counts| &counts.slow);
        tokio::time::sleep(SLOW).await;
        header(ctx, "authorization").unwrap_or_else(|| "nobody".to_owned())
    }

    async fn header(&self, ctx: &Context<'_>, name: String) -> Option<String> {
        header(ctx, &name)
    }

    async fn panic(&self, sure: bool) -> Option<i32> {
        assert!(!sure, "as asked");
        None
    }

    #[graphql(entity)]
    async fn find(&self, id: ID) -> Product {
        product(&id)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Shelf {
    Front,
    Back,
}

#[derive(InputObject)]
struct Line {
    product: ID,
    quantity: i32,
    shelf: Option<Shelf>,
}

#[derive(InputObject)]
struct Delivery {
    lines: Vec<Line>,
    #[graphql(default)]
    note: String,
}

struct Trade;

#[Object(name = "Mutation")]
impl Trade {
    async fn rename(&self, ctx: &Context<'_>, id: ID, title: String) -> Product {
        ctx.data_unchecked::<Shared>().count(|counts| &counts.renamed);
        tokio::time::sleep(SLOW).await;
        Product { id, title }
    }

    async fn deliver(&self, input: Delivery) -> i32 {
        let pieces = input.lines.iter().map(|line| match line.shelf {
            Some(Shelf::Back) => 0,
            _ => line.quantity + i32::try_from(line.product.len() + input.note.len()).unwrap(),
        });
        pieces.sum()
    }

    async fn sign_in(&self, ctx: &Context<'_>) -> bool {
        ctx.append_http_header(SET_COOKIE, "session=1; HttpOnly");
        true
    }
}

struct News;

#[Subscription(name = "Subscription")]
impl News {
    async fn ticks(&self, ctx: &Context<'_>) -> impl Stream<Item = i32> + use<> {
        ctx.data_unchecked::<Shared>().count(|counts| &counts.ticks);
        stream::unfold(0, |tick| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((tick, tick + 1))
        })
    }

    async fn viewer(&self, ctx: &Context<'_>) -> impl Stream<Item = String> + use<> {
        let viewer = header(ctx, "authorization").unwrap_or_else(|| "nobody".to_owned());
        stream::once(async { viewer })
    }

    async fn product_changed(&self) -> impl Stream<Item = Product> + use<> {
        stream::iter(["1", "3"]).map(product)
    }
}

struct Counter;

#[Object(name = "Query")]
impl Counter {
    async fn warehouses(&self) -> i32 {
        2
    }

    #[graphql(entity)]
    async fn find(&self, id: ID) -> Stocked {
        Stocked { id }
    }
}

struct Stocked {
    id: ID,
}

#[Object(name = "Product")]
impl Stocked {
    async fn id(&self) -> &ID {
        &self.id
    }

    async fn stock(&self) -> Option<i32> {
        self.id.parse().ok()
    }
}

/// A subgraph, whatever its roots are.
#[derive(Clone)]
pub struct Toy {
    pub name: &'static str,
    pub sdl: String,
    shared: Shared,
    execute: Arc<dyn Fn(Request) -> BoxFuture<'static, async_graphql::Response> + Send + Sync>,
    socket: Arc<dyn Fn(axum::extract::ws::WebSocket) -> BoxFuture<'static, ()> + Send + Sync>,
}

fn toy<Q, M, S>(name: &'static str, shared: &Shared, schema: SchemaBuilder<Q, M, S>) -> Toy
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let schema = schema.data(shared.clone()).enable_federation().enable_subscription_in_federation().finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().federation());
    let executed = schema.clone();
    let execute = move |request| -> BoxFuture<_> {
        let schema = executed.clone();
        Box::pin(async move { schema.execute(request).await })
    };
    let socket = move |socket| -> BoxFuture<_> { Box::pin(talk(schema.clone(), socket)) };
    Toy { name, sdl, shared: shared.clone(), execute: Arc::new(execute), socket: Arc::new(socket) }
}

/// Speaks graphql-transport-ws with the router.
async fn talk(schema: impl Executor, socket: axum::extract::ws::WebSocket) {
    let (mut sink, messages) = socket.split();
    let incoming = messages.filter_map(async |message| Some(message.ok()?.into_data()));
    let mut outgoing =
        pin!(WebSocket::new(schema, incoming, WebSocketProtocols::GraphQLWS).on_connection_init(given));
    while let Some(message) = outgoing.next().await {
        let message = match message {
            WsMessage::Text(text) => Message::Text(text.into()),
            WsMessage::Close(code, reason) => {
                Message::Close(Some(CloseFrame { code, reason: reason.into() }))
            }
        };
        if sink.send(message).await.is_err() {
            break;
        }
    }
}

pub fn goods(shared: &Shared) -> Toy {
    toy("goods", shared, Schema::build(Goods, Trade, News))
}

pub fn stock(shared: &Shared) -> Toy {
    toy("stock", shared, Schema::build(Counter, EmptyMutation, EmptySubscription))
}

/// The headers that came in the payload of `connection_init`.
async fn given(payload: Value) -> async_graphql::Result<Data> {
    let fields = payload.as_object().cloned().unwrap_or_default();
    let headers = fields.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, value.as_str()?.try_into().ok()?))
    });
    let mut data = Data::default();
    data.insert(headers.collect::<HeaderMap>());
    Ok(data)
}

impl Toy {
    async fn run(&self, headers: HeaderMap, query: &str, variables: Value) -> Answer {
        let request = Request::new(query).variables(Variables::from_json(variables)).data(headers);
        let response = (self.execute)(request).await;
        Answer { headers: response.http_headers.clone(), body: serde_json::to_vec(&response).unwrap().into() }
    }

    /// Over HTTP and WebSocket, at `/<name>`.
    pub fn routes(&self) -> Router {
        Router::new().route(&format!("/{}", self.name), get(socket).post(post)).with_state(self.clone())
    }
}

impl LocalSubgraph for Toy {
    fn answer(&self, headers: HeaderMap, call: Call) -> BoxFuture<'static, Answer> {
        let toy = self.clone();
        Box::pin(async move {
            toy.shared.count(|counts| &counts.local);
            let variables = serde_json::from_slice(&call.variables).unwrap();
            toy.run(headers, &call.document, variables).await
        })
    }
}

async fn post(State(toy): State<Toy>, headers: HeaderMap, body: Bytes) -> Response {
    toy.shared.count(|counts| &counts.http);
    let request: Value = serde_json::from_slice(&body).unwrap();
    let variables = request.get("variables").cloned().unwrap_or(json!({}));
    let answer = toy.run(headers, request["query"].as_str().unwrap(), variables).await;
    let mut response = ([("content-type", "application/json")], answer.body).into_response();
    response.headers_mut().extend(answer.headers);
    response
}

async fn socket(State(toy): State<Toy>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(ALL_WEBSOCKET_PROTOCOLS).on_upgrade(move |socket| (toy.socket)(socket))
}
