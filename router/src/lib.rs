//! The supergraph: composes the subgraphs' schemas into one, and serves it at one endpoint.
//!
//! [`compose`] and [`api_schema`] are pure functions over SDL. [`serve`] runs `hive-router`, which parses, plans and
//! executes, in the current process: it speaks HTTP, SSE and WebSocket to the clients, calls the subgraphs that live in
//! this process directly ([`LocalSubgraph`]) and the others over HTTP, and gives every request that is not GraphQL to
//! the caller's [`Pages`]. `hive-router` is an ntex server with threads of its own; no other crate of ours knows it.

// The type of a server with all its layers is nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

mod admission;
mod api_schema;
mod compose;
mod config;
mod console;
mod cookies;
mod cost;
mod document;
mod errors;
mod identity;
mod inprocess;
mod limits;
mod media;
mod meter;
mod origin;
mod pages;
mod plugin;
mod requests;
mod sdl;
mod serve;
mod server;
mod shapes;
mod variables;
mod websocket;

pub use api_schema::api_schema;
pub use compose::{CompositionError, SubgraphSchema, compose};
pub use config::{LOG_FILTER, Limits, Options};
pub use identity::{CheckAuthorization, Refusal};
pub use inprocess::{Answer, Call, LocalSubgraph};
pub use origin::{InvalidNetwork, Network};
pub use pages::{ClientAddress, Pages};
pub use serve::{Running, ServeError, serve};
pub use tokio_util::sync::CancellationToken;
