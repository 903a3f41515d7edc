//! Bidding: order books per variant and condition, and what follows from them.
//!
//! It owns markets and the journal of commands, from which everything else follows: books, orders, trades. It promises that
//! what it acknowledged is durable, that nobody sees what a crash could undo, that one process at a time decides about a
//! market, that an ask with stock behind it has it reserved, and a bid with money behind it has it held. It mirrors sellers,
//! variants and offers.

mod apply;
pub mod backing;
pub mod batch;
pub mod candle;
mod crc32;
pub mod engine;
mod errand;
mod events;
pub mod fee;
pub mod feed;
pub mod floor;
mod forward;
mod graphql;
pub mod holding;
pub mod limits;
pub mod market;
mod mirror;
pub mod number;
pub mod order;
pub mod recount;
pub mod rules;
pub mod selling;
pub mod sold;
pub mod terms;
pub mod throttle;

use chassis::{Env, Failure, Subgraph};

use floor::Floor;
use rules::Rules;

/// The bidding subgraph on the database of `env`.
pub async fn subgraph(env: &Env, rules: &Rules) -> Result<Subgraph, Failure> {
    let floor = Floor::new(env, *rules);
    floor.release_at_stop();
    let consumers = events::consumers(env);
    let here = floor.staying();
    let errands = |peers: &chassis::Peers| peers.page(forward::PATH, forward::answers(&floor));
    Ok(Subgraph {
        name: "bidding",
        graph: graphql::graph(env, &floor, consumers.clone()),
        consumers,
        jobs: vec![
            here.job(),
            batch::job(env, &here),
            backing::sweep::job(env, &here),
            holding::sweep::job(env, &here),
        ],
        routes: env.peers.as_ref().map(errands).unwrap_or_default(),
    })
}
