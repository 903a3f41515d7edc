//! The whole marketplace behind its one endpoint, as clients see it.

mod answers;
mod cluster;
mod cookies;
mod health;
mod live;
mod outage;
mod search;
mod statements;
mod trace;

use serde_json::{Value, json};
use souk::serve::{Clients, Endpoint, Inner, Listen};

use crate::support::{Market, Person};

/// How the router reaches the subgraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subgraphs {
    InProcess,
    OverHttp,
}

/// A site of somebody else that browsers may use it from.
const ALLOWED_ORIGIN: &str = "https://shop.example";

/// A marketplace's endpoint and a client for it.
struct Site {
    url: String,
    client: reqwest::Client,
    endpoint: Endpoint,
    /// Where its subgraphs are.
    inner: Inner,
}

impl Site {
    async fn open(market: &Market, subgraphs: Subgraphs) -> Self {
        Self::open_at(0, market, subgraphs).await
    }

    async fn open_at(port: u16, market: &Market, subgraphs: Subgraphs) -> Self {
        let inner = Inner::open(&market.souk).await.unwrap();
        let listen = Listen {
            host: "127.0.0.1".into(),
            port,
            subgraphs_over_http: subgraphs == Subgraphs::OverHttp,
            allowed_origins: vec![ALLOWED_ORIGIN.into()],
            clients: Clients::default(),
        };
        let endpoint = Endpoint::open(&market.souk, &listen, &inner).await.unwrap();
        Self {
            url: format!("{}/graphql", endpoint.address()),
            client: reqwest::Client::new(),
            endpoint,
            inner,
        }
    }

    fn request(&self, by: Option<&Person>, query: &str, variables: Value) -> reqwest::RequestBuilder {
        let request = self.client.post(&self.url).json(&json!({ "query": query, "variables": variables }));
        match by {
            Some(person) => request.bearer_auth(&person.token),
            None => request,
        }
    }

    async fn ask(&self, by: Option<&Person>, query: &str, variables: Value) -> Value {
        self.request(by, query, variables).send().await.unwrap().json().await.unwrap()
    }

    async fn close(self) {
        self.endpoint.stop().await.unwrap();
    }
}
