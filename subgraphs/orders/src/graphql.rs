//! The schema of orders: carts, quotes, checkout, orders, trades of the market, and what prices are made of.

mod authentication;
mod cart;
mod checkout;
mod confirmation;
mod dead_letter;
mod loaders;
mod order;
mod order_return;
mod promotion;
mod quote;
mod rates;
mod saga;
mod sale;
mod stubs;
mod subscription;
mod trade;
mod trade_parcel;
mod trade_saga;
mod user_error;

use async_graphql::{Context, MergedObject, Schema};
use chassis::auth::{Role, Viewer};
use chassis::graph::Graph;
use chassis::inbox::Consumer;
use chassis::{Denied, Env};

use crate::cart::{Carts, Shopper};
use crate::keeper::Keeper;
use crate::live::Feed;
use crate::order::Reader;
use crate::secrets::{self, Secrets};
use crate::tariff::Tariffs;
use crate::till::Till;
use crate::trade::rules::Rules;

#[derive(MergedObject, Default)]
struct Query(
    cart::CartQueries,
    quote::QuoteQueries,
    order::OrderQueries,
    sale::SaleQueries,
    rates::RateQueries,
    promotion::PromotionQueries,
    saga::SagaQueries,
    trade::TradeQueries,
    authentication::AuthenticationQueries,
    trade_saga::TradeSagaQueries,
    dead_letter::DeadLetterQueries,
);

#[derive(MergedObject, Default)]
struct Mutation(
    cart::CartMutations,
    checkout::CheckoutMutations,
    order::OrderMutations,
    confirmation::ConfirmationMutations,
    sale::SaleMutations,
    order_return::ReturnMutations,
    rates::RateMutations,
    promotion::PromotionMutations,
    saga::SagaMutations,
    trade_parcel::TradeParcelMutations,
    authentication::AuthenticationMutations,
    trade_saga::TradeSagaMutations,
    dead_letter::DeadLetterMutations,
);

pub(crate) fn graph(env: &Env, rules: Rules, consumers: Vec<Consumer>) -> Graph {
    let tariffs = Tariffs::default();
    Graph::new(
        Schema::build(Query::default(), Mutation::default(), subscription::Subscription)
            .data(loaders::new(&env.db))
            .data(Feed::new(env.clone()))
            .data(Secrets::new(&env.master_key))
            .data(Carts::new(env))
            .data(Till::new(env, &tariffs))
            .data(tariffs)
            .data(rules)
            .data(consumers)
            .data(env.clone()),
    )
}

/// The viewer as somebody who sells: their own shop, or as an admin everybody's.
fn keeper(ctx: &Context<'_>) -> Result<Keeper, Denied> {
    let viewer = Viewer::required(ctx)?;
    if viewer.is(Role::Admin) {
        Ok(Keeper::Admin(viewer.user))
    } else if viewer.is(Role::Seller) {
        Ok(Keeper::Seller(viewer.user))
    } else {
        Err(Denied::RoleMissing(Role::Seller))
    }
}

/// Whose cart a request is about: the guest's who shows a token, else the viewer's. `None`: nobody's, or the token is none
/// of ours.
fn shopper(ctx: &Context<'_>, cart_token: Option<&str>) -> Option<Shopper> {
    match cart_token {
        Some(token) => secrets::cart_token_hash(token).map(Shopper::Guest),
        None => Viewer::maybe(ctx).map(|viewer| Shopper::User(viewer.user)),
    }
}

/// As whom a request may read the order.
///
/// # Errors
/// `UNAUTHENTICATED`: neither signed in nor a token that fits.
fn reader(ctx: &Context<'_>, id: contract::OrderId, token: Option<&str>) -> Result<Reader, Denied> {
    if token.is_some_and(|token| ctx.data_unchecked::<Secrets>().is_order_token(id, token)) {
        return Ok(Reader::TokenHolder);
    }
    let viewer = Viewer::required(ctx)?;
    Ok(if viewer.is(Role::Admin) { Reader::Admin } else { Reader::Buyer(viewer.user) })
}
