//! The schema of payments.

mod balance;

use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, Schema};
use chassis::Env;
use chassis::graph::Graph;

#[derive(MergedObject, Default)]
struct Query(balance::BalanceQueries);

pub(crate) fn graph(env: &Env) -> Graph {
    Graph::new(Schema::build(Query::default(), EmptyMutation, EmptySubscription).data(env.clone()))
}
