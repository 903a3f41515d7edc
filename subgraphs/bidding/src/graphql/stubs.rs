//! Things of other subgraphs, by their keys. Their descriptions are their owners'.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use contract::{CurrencyCode, OfferId, VariantId};
use entity::bidding::market as row;

use super::loaders::{MarketOf, load};
use super::market::Market;
use crate::market::CURRENCY_DEFAULT;

/// The state of the goods in an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::Condition")]
pub enum Condition {
    /// Never used, in its packaging.
    New,
    /// Used once or twice, no traces.
    LikeNew,
    /// Light traces of use.
    VeryGood,
    /// Clear traces of use, everything works.
    Good,
    /// Worn, but does what it is for.
    Acceptable,
}

#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Offer {
    /// The offer's id.
    pub id: OfferId,
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

    /// Where the variant is bid for. Null until somebody opens the market with `openMarket`.
    async fn market(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The state of the goods.", default_with = "Condition::New")] condition: Condition,
        #[graphql(desc = "The market's currency; USD without it.")] currency: Option<CurrencyCode>,
    ) -> Result<Option<Market>> {
        let currency = currency.unwrap_or(CURRENCY_DEFAULT);
        let key = MarketOf { variant: self.id, condition: condition.into(), currency };
        Ok(load(ctx, key).await?.map(Market))
    }
}
