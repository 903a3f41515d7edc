//! Orders: what somebody means to buy, what it costs, and the way of an order from the cart to the buyer's door.
//!
//! It owns carts, what prices are made of (shipping, tax, promotions, fees), and orders with the log of everything that
//! happened to them. It promises that an order is paid exactly when its stock is sold: what is asked of inventory and of
//! payments, and what follows from their answers, is one table in [`settlement`]. It mirrors offers, stock and sellers.

pub mod cart;
pub mod checkout;
pub mod confirmation;
pub mod contact;
pub mod drive;
mod events;
pub mod facts;
pub mod failure;
pub mod goods;
mod graphql;
pub mod keeper;
pub mod limits;
mod live;
mod mirror;
pub mod operator;
pub mod order;
pub mod parcel;
pub mod payback;
pub mod pricing;
pub mod promotion;
pub mod quoting;
pub mod rates;
pub mod sale;
pub mod secrets;
pub mod settlement;

use chassis::{Env, Failure, Subgraph};

/// The orders subgraph on the database of `env`.
pub async fn subgraph(env: &Env) -> Result<Subgraph, Failure> {
    let consumers = events::consumers(env);
    Ok(Subgraph {
        name: "orders",
        graph: graphql::graph(env, consumers.clone()),
        consumers,
        jobs: vec![drive::sweeper(env), parcel::sweeper(env), cart::sweeper(env)],
        routes: Default::default(),
    })
}
