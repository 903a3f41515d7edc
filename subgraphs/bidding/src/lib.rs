//! Bidding: order books per variant and condition, and what follows from them.
//!
//! It owns markets and the journal of commands, from which everything else follows: books, orders, trades. It promises that
//! what it acknowledged is durable, that nobody sees what a crash could undo, and that one process at a time decides about a
//! market. It mirrors sellers and variants.

mod apply;
pub mod batch;
pub mod candle;
mod crc32;
pub mod engine;
mod events;
pub mod fee;
pub mod feed;
pub mod floor;
mod graphql;
pub mod limits;
pub mod market;
mod mirror;
pub mod number;
pub mod order;
pub mod recount;
pub mod selling;
pub mod sold;
pub mod terms;
pub mod throttle;

use chassis::{Env, Failure, Subgraph};

use floor::Floor;

/// The bidding subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let floor = Floor::new(env);
    floor.release_at_stop();
    let consumers = events::consumers(env);
    Ok(Subgraph {
        name: "bidding",
        graph: graphql::graph(env, &floor, consumers.clone()),
        consumers,
        jobs: vec![floor.job(), batch::job(env, &floor)],
        routes: Default::default(),
    })
}
