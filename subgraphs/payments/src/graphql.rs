//! The schema of payments.

mod balance;
mod dead_letter;
mod loaders;
mod operator;
mod payment;
mod payout_account;
mod sandbox;
mod user_error;

use async_graphql::{EmptySubscription, MergedObject, Schema};
use chassis::graph::Graph;
use chassis::inbox::Consumer;

use crate::Payments;

#[derive(MergedObject, Default)]
struct Query(
    payment::PaymentQueries,
    balance::BalanceQueries,
    operator::OperatorQueries,
    payout_account::PayoutAccountQueries,
    dead_letter::DeadLetterQueries,
);

#[derive(MergedObject, Default)]
struct Mutation(
    operator::OperatorMutations,
    payout_account::PayoutAccountMutations,
    sandbox::SandboxMutations,
    dead_letter::DeadLetterMutations,
);

pub(crate) fn graph(payments: Payments, consumers: Vec<Consumer>) -> Graph {
    Graph::new(
        Schema::build(Query::default(), Mutation::default(), EmptySubscription)
            .data(loaders::new(&payments.env.db))
            .data(payments.env.clone())
            .data(consumers)
            .data(payments),
    )
}
