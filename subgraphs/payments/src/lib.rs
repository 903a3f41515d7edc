//! Payments: the buyers' money, from their card to the sellers' banks.
//!
//! It owns payments and the shares of sellers in them, what it asks of payment providers, refunds, payouts, disputes, and
//! the ledger. It promises that nobody is charged twice and no money is lost: every call to a provider has a key that is
//! stored before it, what a call did is read when its answer is lost, and every movement is an entry of a double-entry
//! ledger that nobody can change; [`ledger::verify`] adds it up again.

mod events;
mod graphql;
pub mod ledger;
pub mod provider;
mod seller;
mod statement;

use chassis::{Env, Failure, Subgraph};

/// The payments subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    Ok(Subgraph {
        name: "payments",
        graph: graphql::graph(env),
        consumers: events::consumers(env),
        jobs: vec![],
        routes: Default::default(),
    })
}
