//! The schema of inventory: what other subgraphs' offers and variants gain, and what keepers of stock can do.

mod dead_letter;
mod feed;
mod loaders;
mod location;
mod offer;
mod reservation;
mod shelf;
mod shipment;
mod stock;
mod subscription;
mod user_error;
mod webhook;

use async_graphql::{Context, MergedObject, Schema};
use chassis::auth::{Role, Viewer};
use chassis::graph::Graph;
use chassis::inbox::Consumer;
use chassis::{Denied, Env};

use crate::keeper::Keeper;
use crate::live::Feed;
use crate::secret::Secrets;

#[derive(MergedObject, Default)]
struct Query(
    offer::OfferQueries,
    stock::StockQueries,
    location::LocationQueries,
    reservation::ReservationQueries,
    shipment::ShipmentQueries,
    feed::FeedQueries,
    webhook::WebhookQueries,
    dead_letter::DeadLetterQueries,
);

#[derive(MergedObject, Default)]
struct Mutation(
    shelf::ShelfMutations,
    location::LocationMutations,
    reservation::ReservationMutations,
    shipment::ShipmentMutations,
    feed::FeedMutations,
    webhook::WebhookMutations,
    dead_letter::DeadLetterMutations,
);

pub(crate) fn graph(env: &Env, consumers: Vec<Consumer>) -> Graph {
    Graph::new(
        Schema::build(Query::default(), Mutation::default(), subscription::Subscription)
            .data(loaders::new(&env.db))
            .data(Feed::new(env.clone()))
            .data(consumers)
            .data(Secrets::new(env))
            .data(env.clone()),
    )
}

/// The viewer as somebody who may move stock: their own, or as an admin everybody's.
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
