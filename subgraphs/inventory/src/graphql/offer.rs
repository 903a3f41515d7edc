//! What catalog's offers and variants gain: their stock.

use async_graphql::{Context, Object, Result, SimpleObject};
use contract::{Long, OfferId, SellerId, VariantId};

use super::loaders::load;
use super::stock::StockLevel;

// The descriptions of these types are their owners'.
pub struct Offer {
    pub id: OfferId,
}

#[Object]
impl Offer {
    /// The offer's id.
    async fn id(&self) -> OfferId {
        self.id
    }

    /// Pieces that can be bought now. 0 for an offer made a moment ago.
    async fn available(&self, ctx: &Context<'_>) -> Result<Option<Long>> {
        let level = load(ctx, self.id).await?;
        Ok(Some(Long(level.map_or(0, |owned| owned.level.available))))
    }

    /// All that may be known of the offer's stock. Null for an offer made a moment ago.
    async fn stock(&self, ctx: &Context<'_>) -> Result<Option<StockLevel>> {
        Ok(load(ctx, self.id).await?.map(|owned| StockLevel::shown_to(ctx, owned)))
    }
}

pub struct Variant {
    pub id: VariantId,
}

#[Object]
impl Variant {
    /// The variant's id.
    async fn id(&self) -> VariantId {
        self.id
    }

    /// What buyers can get of this variant, from all its sellers.
    async fn stock(&self, ctx: &Context<'_>) -> Result<Option<VariantStock>> {
        let stock = load(ctx, self.id).await?;
        Ok(Some(VariantStock {
            available: Long(stock.map_or(0, |stock| stock.available)),
            offers_in_stock: stock
                .map_or(0, |stock| i32::try_from(stock.offers_in_stock).unwrap_or(i32::MAX)),
        }))
    }
}

/// What buyers can get of a variant, over the published offers of verified sellers.
#[derive(SimpleObject)]
pub struct VariantStock {
    /// Pieces that can be bought now.
    available: Long,
    /// Offers with at least one piece.
    offers_in_stock: i32,
}

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Seller {
    /// The seller's id.
    pub id: SellerId,
}

#[derive(Default)]
pub struct OfferQueries;

#[Object]
impl OfferQueries {
    #[graphql(entity)]
    async fn find_offer_by_id(&self, id: OfferId) -> Offer {
        Offer { id }
    }

    #[graphql(entity)]
    async fn find_variant_by_id(&self, id: VariantId) -> Variant {
        Variant { id }
    }
}
