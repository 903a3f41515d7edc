//! The whole marketplace behind its one endpoint, as clients see it.

mod answers;
mod live;
mod outage;
mod statements;
mod trace;

use serde_json::{Value, json};
use souk::serve::{Clients, Endpoint, Listen};
use tokio::net::TcpListener;

use crate::support::{Market, Person};

/// How the router reaches the subgraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subgraphs {
    InProcess,
    OverHttp,
}

/// A marketplace's endpoint and a client for it.
struct Site {
    url: String,
    client: reqwest::Client,
    endpoint: Endpoint,
}

impl Site {
    async fn open(market: &Market, subgraphs: Subgraphs) -> Self {
        let loopback = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = loopback.local_addr().unwrap();
        let stop = market.souk.tasks.stopping().clone();
        market.souk.tasks.spawn(souk::serve::serve_http(loopback, market.souk.subgraphs(), stop));
        let over_http = subgraphs == Subgraphs::OverHttp;
        let listen = Listen {
            host: "127.0.0.1".into(),
            port: 0,
            subgraphs_over_http: over_http,
            clients: Clients::default(),
        };
        let endpoint = Endpoint::open(&market.souk, &listen, inner).await.unwrap();
        Self { url: format!("{}/graphql", endpoint.address()), client: reqwest::Client::new(), endpoint }
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
