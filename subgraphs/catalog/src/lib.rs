//! Catalog owns products with their variants, attributes, images and categories, and the offers that sellers make for
//! them. It promises that buyers see published things only, that an offer is unique per seller, variant and condition,
//! and that every price an offer ever had is kept.

pub mod attribute;
pub mod category;
mod events;
mod graphql;
pub mod gtin;
mod handle;
pub mod image;
pub mod import;
pub mod input;
pub mod listing;
pub mod merge;
pub mod number;
pub mod offer;
pub mod product;
pub mod proposal;
mod publication;
pub mod search;
pub mod seller;
mod shown;
pub mod similar;
mod sql;
mod unique;
pub mod variant;

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Subgraph};
use futures::FutureExt;

/// Catalog, ready to run.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let consumers = consumers(env);
    Ok(Subgraph {
        name: "catalog",
        graph: graphql::graph(env, consumers.clone()),
        consumers,
        jobs: vec![],
        routes: Default::default(),
    })
}

fn consumers(env: &Env) -> Vec<Consumer> {
    let ears = [events::STOCK, events::SELLERS].into_iter();
    ears.map(|(name, hears)| {
        Consumer::new(env, name, hears, |tx, now, events| events::hear(tx, now, events).boxed())
    })
    .collect()
}
