//! The schema of bidding: markets, bids and asks.

mod batch;
mod change;
mod dead_letter;
mod live;
mod loaders;
mod market;
mod market_data;
mod open;
mod order;
mod place;
mod preview;
mod retail;
mod selling;
mod stubs;
mod user_error;

use async_graphql::{MergedObject, Schema};
use chassis::Env;
use chassis::graph::Graph;
use chassis::inbox::Consumer;

use crate::feed::Desk;
use crate::floor::Floor;
use crate::throttle::Throttle;

#[derive(MergedObject, Default)]
struct Query(
    market::MarketQueries,
    order::OrderQueries,
    preview::PreviewQueries,
    selling::SellingQueries,
    batch::BatchQueries,
    dead_letter::DeadLetterQueries,
);

#[derive(MergedObject, Default)]
struct Mutation(
    open::MarketMutations,
    retail::RetailMutations,
    place::PlaceMutations,
    change::ChangeMutations,
    selling::SellingMutations,
    batch::BatchMutations,
    dead_letter::DeadLetterMutations,
);

pub(crate) fn graph(env: &Env, floor: &Floor, consumers: Vec<Consumer>) -> Graph {
    Graph::new(
        Schema::build(Query::default(), Mutation::default(), live::Subscription)
            .data(loaders::new(&env.db))
            .data(floor.clone())
            .data(Desk::new(env.db.clone(), floor.clone()))
            .data(Throttle::new(env.clock.clone(), floor.rules()))
            .data(consumers)
            .data(env.clone()),
    )
}
