//! Orders: what somebody means to buy, what it costs, and the way of an order from the cart to the buyer's door.
//!
//! It owns carts, what prices are made of (shipping, tax, promotions, fees), and orders with the log of everything that
//! happened to them; and trades of the market, on their way over the authentication centre. It promises that an order is paid
//! exactly when its stock is sold: what is asked of inventory and of payments, and what follows from their answers, is one
//! table in [`settlement`]. It mirrors offers, stock and sellers.

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
pub mod tariff;
pub mod till;
pub mod trade;

use chassis::{Env, Failure, Subgraph};

use trade::rules::Rules;

/// The orders subgraph on the database of `env`, with the rules of trades.
pub async fn subgraph(env: &Env, rules: &Rules) -> Result<Subgraph, Failure> {
    let consumers = events::consumers(env, *rules);
    Ok(Subgraph {
        name: "orders",
        graph: graphql::graph(env, *rules, consumers.clone()),
        consumers,
        jobs: vec![
            drive::sweeper(env),
            parcel::sweeper(env),
            cart::sweeper(env),
            trade::drive::sweeper(env, *rules),
        ],
        routes: Default::default(),
    })
}
