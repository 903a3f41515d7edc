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
mod pieces;
pub mod reservation;
mod restock;
pub mod secret;
mod seller;
pub mod shelf;
pub mod shipment;
pub mod signature;
pub mod stock;
pub mod sweep;
mod variant;
mod verify;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use chassis::{Env, Failure, Job, Subgraph};
use futures::FutureExt;

pub use bulk::{ARRIVALS_MAX, Arrival, ReceiveManyRefusal, receive_many};
pub use keeper::Keeper;
pub use verify::{Difference, Report, verify};

use webhook::deliver::Deliverer;

/// How often the sweeper looks for reservations whose time is up.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);
/// How often webhooks are told what is new.
const WEBHOOK_PAUSE: Duration = Duration::from_secs(1);
/// How often to look for batches and deliveries that are old.
const OLD_ROWS_PAUSE: Duration = Duration::from_secs(3_600);

/// The inventory subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let consumers = events::consumers(env);
    let deliverer = Arc::new(Deliverer::new(env)?);
    Ok(Subgraph {
        name: "inventory",
        graph: graphql::graph(env, consumers.clone()),
        consumers,
        jobs: vec![sweeper(env.clone()), webhooks(deliverer), old_rows(env.clone())],
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

fn webhooks(deliverer: Arc<Deliverer>) -> Job {
    Job {
        name: "inventory webhooks",
        pause: WEBHOOK_PAUSE,
        run: Arc::new(move || {
            let deliverer = deliverer.clone();
            async move { deliverer.round().await }.boxed()
        }),
    }
}

fn old_rows(env: Env) -> Job {
    Job {
        name: "inventory old rows",
        pause: OLD_ROWS_PAUSE,
        run: Arc::new(move || {
            let env = env.clone();
            async move { sweep::sweep(&env).await }.boxed()
        }),
    }
}
