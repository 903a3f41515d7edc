//! Stock as it changes.

use async_graphql::{Context, Result, SimpleObject, Subscription as Subscribe};
use chassis::Denied;
use contract::{Long, OfferId, VariantId};
use futures::{Stream, StreamExt};

use super::offer::{Offer, Variant};
use crate::limits::WATCHED_MAX;
use crate::live::{Feed, Key};
use crate::stock::Level;

/// The stock of one offer, as it is now.
#[derive(SimpleObject)]
pub struct StockUpdate {
    /// The offer.
    offer: Offer,
    /// What it sells.
    variant: Variant,
    /// Pieces that can be bought now.
    available: Long,
    /// Counts up by one with every change of this offer's stock. What was skipped is older than what you see.
    sequence: Long,
}

impl From<Level> for StockUpdate {
    fn from(level: Level) -> Self {
        Self {
            offer: Offer { id: level.offer_id },
            variant: Variant { id: level.variant_id },
            available: Long(level.available),
            sequence: Long(level.sequence),
        }
    }
}

pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// The stock of offers, or of every offer of variants: first as it is, then at each change. A client that reads slowly
    /// misses levels in between, never the last. Exactly one of the lists, of at most 100 ids.
    async fn stock_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Watch every offer of these variants, later ones included.")] variant_ids: Option<
            Vec<VariantId>,
        >,
        #[graphql(desc = "Watch these offers.")] offer_ids: Option<Vec<OfferId>>,
    ) -> Result<impl Stream<Item = StockUpdate> + use<>> {
        let keys = watched(variant_ids, offer_ids)?;
        let levels = ctx.data_unchecked::<Feed>().watch(keys).await?;
        Ok(levels.map(StockUpdate::from))
    }
}

fn watched(variant_ids: Option<Vec<VariantId>>, offer_ids: Option<Vec<OfferId>>) -> Result<Vec<Key>, Denied> {
    let (field, mut keys): (_, Vec<Key>) = match (variant_ids, offer_ids) {
        (Some(variants), None) => ("variantIds", variants.into_iter().map(Key::Variant).collect()),
        (None, Some(offers)) => ("offerIds", offers.into_iter().map(Key::Offer).collect()),
        _ => return Err(Denied::bad_input("variantIds", "give either variantIds or offerIds")),
    };
    if !(1..=WATCHED_MAX).contains(&keys.len()) {
        return Err(Denied::bad_input(field, format!("must have 1 to {WATCHED_MAX} ids")));
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
