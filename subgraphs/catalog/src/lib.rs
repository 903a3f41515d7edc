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

use std::sync::Arc;
use std::time::Duration;

use chassis::inbox::Consumer;
use chassis::{Env, Failure, Job, Subgraph};
use futures::FutureExt;
use uuid::Uuid;

use crate::search::Search;

/// How often to look for files to import.
const IMPORT_PAUSE: Duration = Duration::from_millis(500);

/// Catalog, ready to run.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let (consumers, search) = (consumers(env), Search::new(env));
    Ok(Subgraph {
        name: "catalog",
        graph: graphql::graph(env, consumers.clone(), search.clone()),
        consumers,
        jobs: vec![imports(env.clone(), search.clone()), search.job()],
        routes: Default::default(),
    })
}

/// Imports the files that wait.
fn imports(env: Env, search: Search) -> Job {
    let holder = Uuid::now_v7();
    let run = Arc::new(move || import::file::work(env.clone(), search.clone(), holder).boxed());
    Job { name: "catalog imports", pause: IMPORT_PAUSE, run }
}

fn consumers(env: &Env) -> Vec<Consumer> {
    let ears = [events::STOCK, events::SELLERS].into_iter();
    ears.map(|(name, hears)| {
        Consumer::new(env, name, hears, |tx, now, events| events::hear(tx, now, events).boxed())
    })
    .collect()
}
