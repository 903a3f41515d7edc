//! What goods cost in the shop: what a market's prices are compared with.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::Env;
use chassis::auth::{Role, Viewer};
use contract::{Long, MarketId};

use super::market::Market;
use super::user_error::user_error;
use crate::market::{MarketRefusal, set_retail};

/// The retail price of what a market sells.
#[derive(InputObject)]
pub struct SetRetailPriceInput {
    /// The market.
    market_id: MarketId,
    /// In minor units of the market's currency; null takes it away.
    retail_price_minor: Option<Long>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetRetailPricePayload {
    /// The market; null when something is wrong.
    market: Option<Market>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetRetailPriceError>,
}

user_error! {
    /// Why a market kept its retail price.
    SetRetailPriceError (SetRetailPriceErrorCode) {
        /// There is no such market.
        MarketNotFound,
        /// A price is at least 1.
        PriceInvalid,
    }
}

#[derive(Default)]
pub struct RetailMutations;

#[Object]
impl RetailMutations {
    /// Says what the goods of a market cost in the shop: the premium follows from it. For admins. It needs no idempotency
    /// key: saying it twice is saying it once.
    async fn set_retail_price(
        &self,
        ctx: &Context<'_>,
        input: SetRetailPriceInput,
    ) -> Result<SetRetailPricePayload> {
        Viewer::with_role(ctx, Role::Admin)?;
        let db = &ctx.data_unchecked::<Env>().db;
        let (id, retail) = (input.market_id, input.retail_price_minor.map(|retail| retail.0));
        let set = chassis::tx::run(db, async |tx| set_retail(tx, id, retail).await).await?;
        Ok(match set {
            Ok(market) => SetRetailPricePayload { market: Some(Market(market)), user_errors: vec![] },
            Err(refusal) => {
                let (code, field) = match refusal {
                    MarketRefusal::RetailInvalid => {
                        (SetRetailPriceErrorCode::PriceInvalid, "retailPriceMinor")
                    }
                    _ => (SetRetailPriceErrorCode::MarketNotFound, "marketId"),
                };
                let error = SetRetailPriceError::new(code, &["input", field], refusal);
                SetRetailPricePayload { market: None, user_errors: vec![error] }
            }
        })
    }
}
