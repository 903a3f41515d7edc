//! What clients see of the catalog: parses, calls and shows.

#[macro_use]
mod answer;
mod attribute;
mod category;
mod import;
mod listing;
mod loaders;
mod moderation;
mod offer;
mod offer_changes;
mod operator;
mod plain;
mod product;
mod product_changes;
mod product_parts;
mod proposal;
mod remembered;
mod search;
mod search_facets;
mod shared;
mod variant;

use async_graphql::{MergedObject, Schema};
use chassis::Env;
use chassis::graph::Graph;
use chassis::inbox::Consumer;

use self::remembered::Remembered;
use crate::search::Search;

/// What can be asked.
#[derive(Default, MergedObject)]
pub struct Query(
    product::ProductQueries,
    variant::VariantQueries,
    offer::OfferQueries,
    listing::ListingQueries,
    import::ImportQueries,
    proposal::ProposalQueries,
    category::CategoryQueries,
    attribute::AttributeQueries,
    operator::OperatorQueries,
    search::SearchQueries,
);

/// What can be done.
#[derive(Default, MergedObject)]
pub struct Mutation(
    product_changes::ProductChangeMutations,
    product_parts::ProductPartMutations,
    variant::VariantMutations,
    offer_changes::OfferChangeMutations,
    listing::ListingMutations,
    import::ImportMutations,
    proposal::ProposalMutations,
    moderation::ModerationMutations,
    category::CategoryMutations,
    attribute::AttributeMutations,
    operator::OperatorMutations,
);

/// The schema of catalog.
pub(crate) fn graph(env: &Env, consumers: Vec<Consumer>, search: Search) -> Graph {
    let schema = Schema::build(Query::default(), Mutation::default(), import::Subscription);
    Graph::new(
        schema
            .data(env.clone())
            .data(loaders::new(&env.db))
            .data(Remembered::default())
            .data(consumers)
            .data(search),
    )
}
