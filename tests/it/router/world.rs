//! A running router with its subgraphs, and a client for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http;
use futures::future::BoxFuture;
use router::{
    CancellationToken, ClientAddress, Limits, LocalSubgraph, Options, Refusal, Running, SubgraphSchema,
};
use serde_json::{Value, json};

use super::toy::{self, Counts, Shared, Toy};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subgraphs {
    Local,
    OverHttp,
}

pub struct World {
    pub url: String,
    pub client: reqwest::Client,
    pub stop: CancellationToken,
    pub running: Running,
    shared: Shared,
}

impl World {
    pub async fn start(subgraphs: Subgraphs) -> Self {
        Self::start_with(subgraphs, |_| {}).await
    }

    pub async fn start_with(subgraphs: Subgraphs, choose: impl FnOnce(&mut Options)) -> Self {
        let shared = Shared::default();
        let mut options = options(subgraphs, &shared).await;
        choose(&mut options);
        let stop = options.stop.clone();
        let running = router::serve(options).await.unwrap();
        let url = format!("http://{}", running.address);
        World { url, client: reqwest::Client::new(), stop, running, shared }
    }

    pub fn counts(&self) -> &Counts {
        &self.shared.0
    }

    pub fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/graphql", self.url)).json(body)
    }

    /// Asks, and gives the whole answer.
    pub async fn ask(&self, query: &str) -> Value {
        self.post(&json!({ "query": query })).send().await.unwrap().json().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }
}

/// The code of the first error.
pub fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code in {answer}"))
}

/// Options for the toys; the caller may still change them.
pub async fn options(subgraphs: Subgraphs, shared: &Shared) -> Options {
    let toys = [toy::goods(shared), toy::stock(shared)];
    let base = listen(&toys).await;
    let schemas: Vec<_> = toys.iter().map(|toy| schema(toy, &base)).collect();
    let local = toys.iter().filter(|_| subgraphs == Subgraphs::Local);
    Options {
        host: "127.0.0.1".to_owned(),
        port: 0,
        supergraph: router::compose(&schemas).unwrap(),
        subgraph_urls: BTreeMap::new(),
        local: local
            .map(|toy| (toy.name.to_owned(), Arc::new(toy.clone()) as Arc<dyn LocalSubgraph>))
            .collect(),
        check_authorization: Some(Arc::new(check)),
        pages: Arc::new(page),
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        cookies_of: vec!["goods".to_owned()],
        to_subgraphs: Vec::new(),
        introspection: true,
        limits: Limits::default(),
        stop: CancellationToken::new(),
    }
}

/// Serves the toys over HTTP and WebSocket, as long as the test runs.
async fn listen(toys: &[Toy]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = toys.iter().fold(axum::Router::new(), |routes, toy| routes.merge(toy.routes()));
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move { axum::serve(listener, routes).await });
    base
}

fn schema(toy: &Toy, base: &str) -> SubgraphSchema {
    SubgraphSchema { name: toy.name.to_owned(), url: format!("{base}/{}", toy.name), sdl: toy.sdl.clone() }
}

fn check(authorization: &str) -> Result<Arc<str>, Refusal> {
    match authorization {
        "Bearer forged" => Err(Refusal::unauthenticated("the token is not valid")),
        token => Ok(token.into()),
    }
}

fn page(request: http::Request<Bytes>) -> BoxFuture<'static, http::Response<Bytes>> {
    Box::pin(async move {
        // Only there on the application's runtime.
        tokio::task::yield_now().await;
        let address = request.extensions().get::<ClientAddress>().unwrap().0;
        let (status, body) = match request.uri().path() {
            "/health/live" => (200, format!("{} from {}", request.method(), address.ip())),
            "/integrations/echo" => (200, String::from_utf8_lossy(request.body()).into_owned()),
            "/panic" => panic!("as asked"),
            path => (404, format!("nothing at {path}")),
        };
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("x-page", http::HeaderValue::from_static("ours"));
        response
    })
}
