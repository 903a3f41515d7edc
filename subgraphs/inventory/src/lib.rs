//! Inventory: how many pieces of an offer there are, where they lie, and to whom they are promised.
//!
//! It owns the log of stock movements and what follows from it (levels, shelves), reservations, locations and shipments
//! in. It promises that no piece is promised twice: every change of a level is one guarded statement, the tables check it
//! again, and [`verify()`] replays the log. It mirrors offers from catalog and sellers from accounts, answers the asks of
//! other services, and tells every change of stock.

mod asks;
mod bulk;
pub mod desk;
pub mod door;
mod events;
pub mod feed;
mod graphql;
mod keeper;
pub mod limits;
pub mod listing;
mod live;
pub mod location;
pub mod offer;
pub mod reservation;
pub mod secret;
mod seller;
pub mod shelf;
pub mod shipment;
pub mod signature;
pub mod stock;
mod variant;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Subgraph};
use futures::FutureExt;

pub use bulk::{ARRIVALS_MAX, Arrival, ReceiveManyRefusal, receive_many};
pub use keeper::Keeper;
pub use verify::{Difference, Report, verify};

/// How often the sweeper looks for reservations whose time is up.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// The inventory subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let consumers = events::consumers(env);
    Ok(Subgraph {
        name: "inventory",
        graph: graphql::graph(env, consumers.clone()),
        consumers,
        jobs: vec![sweeper(env.clone())],
        routes: door::routes(env),
    })
}

fn sweeper(env: Env) -> Job {
    Job {
        name: "inventory sweeper",
        pause: SWEEP_PAUSE,
        run: Arc::new(move || {
            let env = env.clone();
            async move { reservation::sweep(&env).await.map(drop) }.boxed()
        }),
    }
}
