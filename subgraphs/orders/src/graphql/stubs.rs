//! Things of other subgraphs, by their keys. Their descriptions are their owners'.

use async_graphql::SimpleObject;
use contract::{AddressId, OfferId, SellerId, VariantId};

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Offer {
    /// The offer's id.
    pub id: OfferId,
}

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Variant {
    /// The variant's id.
    pub id: VariantId,
}

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Seller {
    /// The seller's id.
    pub id: SellerId,
}

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Address {
    /// The address's id.
    pub id: AddressId,
}
