//! Accounts as clients see it.

#[macro_use]
mod refusals;

mod account;
mod acting;
mod address;
mod admin;
mod audit;
mod cookie;
mod loaders;
mod seller;
mod session;
mod user;

use async_graphql::{EmptySubscription, MergedObject, Schema};
use chassis::graph::Graph;

use crate::Accounts;

#[derive(MergedObject, Default)]
struct Query(
    user::UserQuery,
    session::SessionQuery,
    seller::SellerQuery,
    admin::AdminQuery,
    audit::AuditQuery,
    address::AddressQuery,
);

#[derive(MergedObject, Default)]
struct Mutation(
    account::AccountMutation,
    session::SessionMutation,
    user::UserMutation,
    address::AddressMutation,
    seller::SellerMutation,
    admin::AdminMutation,
);

/// The schema over `accounts`.
pub(crate) fn graph(accounts: Accounts) -> Graph {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription);
    Graph::new(schema.data(loaders::new(&accounts)).data(accounts))
}
