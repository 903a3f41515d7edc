//! Opening markets and changing their rules.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::{Denied, Env, tx};
use contract::{CurrencyCode, Long, MarketId, VariantId};
use entity::bidding::market as row;
use matching::MarketRules;

use super::market::Market;
use super::stubs::Condition;
use super::user_error::user_error;
use crate::apply::apply_market;
use crate::floor::{Floor, NoAnswer};
use crate::market::{self, CURRENCY_DEFAULT, MarketRefusal, Open};
use crate::mirror::wait_for_variant;

/// Which market to open.
#[derive(InputObject)]
pub struct OpenMarketInput {
    /// What is bought and sold.
    variant_id: VariantId,
    /// The state of the goods.
    #[graphql(default_with = "Condition::New")]
    condition: Condition,
    /// The currency of its prices; USD without it. For admins.
    currency: Option<CurrencyCode>,
    /// The prices that it takes; multiples of 100 minor units without them. For admins.
    rules: Option<MarketRulesInput>,
}

/// The prices that a market takes, in minor units of its currency.
#[derive(Clone, Copy, InputObject)]
pub struct MarketRulesInput {
    /// Every price is a multiple of this; at least 1.
    tick_minor: Long,
    /// The lowest price, at least 1.
    price_min_minor: Long,
    /// The highest price, at most 1,000,000,000,000.
    price_max_minor: Long,
}

impl From<MarketRulesInput> for MarketRules {
    fn from(input: MarketRulesInput) -> Self {
        Self {
            tick: input.tick_minor.0,
            price_min: input.price_min_minor.0,
            price_max: input.price_max_minor.0,
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub struct OpenMarketPayload {
    /// The market, with the rules that it has; null when something is wrong.
    market: Option<Market>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<OpenMarketError>,
}

user_error! {
    /// Why no market was opened.
    OpenMarketError (OpenMarketErrorCode) {
        /// There is no such variant.
        VariantNotFound,
        /// No price can meet the rules, or they are beyond the limits.
        RulesInvalid,
    }
}

/// New rules for a market.
#[derive(InputObject)]
pub struct SetMarketRulesInput {
    /// The market.
    market_id: MarketId,
    /// The prices that it takes from now on. Orders that rest already stay as they are.
    rules: MarketRulesInput,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct SetMarketRulesPayload {
    /// The market; null when something is wrong.
    market: Option<Market>,
    /// What is wrong; empty when it was done.
    user_errors: Vec<SetMarketRulesError>,
}

user_error! {
    /// Why a market kept its rules.
    SetMarketRulesError (SetMarketRulesErrorCode) {
        /// There is no such market.
        MarketNotFound,
        /// No price can meet the rules, or they are beyond the limits.
        RulesInvalid,
    }
}

#[derive(Default)]
pub struct MarketMutations;

#[Object]
impl MarketMutations {
    /// Opens the market of a variant in a condition, for everybody; gives the one that is open already. It needs no
    /// idempotency key: there is one market of each kind.
    async fn open_market(&self, ctx: &Context<'_>, input: OpenMarketInput) -> Result<OpenMarketPayload> {
        let viewer = Viewer::required(ctx)?;
        if (input.currency.is_some() || input.rules.is_some()) && !viewer.is(Role::Admin) {
            return Err(Denied::RoleMissing(Role::Admin).into());
        }
        let (env, floor) = (ctx.data_unchecked::<Env>(), ctx.data_unchecked::<Floor>());
        wait_for_variant(&env.db, input.variant_id).await?;
        let id = MarketId::new();
        let command = Open {
            id,
            partition: floor.partition_for(id),
            variant_id: input.variant_id,
            condition: input.condition.into(),
            currency: input.currency.unwrap_or(CURRENCY_DEFAULT),
            rules: input.rules.map_or_else(market::default_rules, MarketRules::from),
        };
        let now = env.clock.now();
        let opened = tx::run(&env.db, async |tx| market::open(tx, now, command).await).await?;
        Ok(match opened {
            Ok(market) => {
                tell(ctx, &market).await?;
                OpenMarketPayload { market: Some(Market(market)), user_errors: vec![] }
            }
            Err(refusal) => {
                let (code, field) = match refusal {
                    MarketRefusal::RulesInvalid => (OpenMarketErrorCode::RulesInvalid, "rules"),
                    _ => (OpenMarketErrorCode::VariantNotFound, "variantId"),
                };
                let error = OpenMarketError::new(code, &["input", field], refusal);
                OpenMarketPayload { market: None, user_errors: vec![error] }
            }
        })
    }

    /// Gives a market new rules. For admins.
    async fn set_market_rules(
        &self,
        ctx: &Context<'_>,
        input: SetMarketRulesInput,
    ) -> Result<SetMarketRulesPayload> {
        Viewer::with_role(ctx, Role::Admin)?;
        let env = ctx.data_unchecked::<Env>();
        let (id, rules) = (input.market_id, MarketRules::from(input.rules));
        let set = tx::run(&env.db, async |tx| market::set_rules(tx, id, rules).await).await?;
        Ok(match set {
            Ok(market) => {
                tell(ctx, &market).await?;
                SetMarketRulesPayload { market: Some(Market(market)), user_errors: vec![] }
            }
            Err(refusal) => {
                let (code, field) = match refusal {
                    MarketRefusal::RulesInvalid => (SetMarketRulesErrorCode::RulesInvalid, "rules"),
                    _ => (SetMarketRulesErrorCode::MarketNotFound, "marketId"),
                };
                let error = SetMarketRulesError::new(code, &["input", field], refusal);
                SetMarketRulesPayload { market: None, user_errors: vec![error] }
            }
        })
    }
}

/// Tells the engine the market's rules. Where another process must do it, it does so within a moment.
async fn tell(ctx: &Context<'_>, market: &row::Model) -> Result<()> {
    if market.applied_version == market.version {
        return Ok(());
    }
    match apply_market(ctx.data_unchecked(), market).await {
        Err(NoAnswer::Denied(Denied::NotNow(_))) => Ok(()),
        done => Ok(done?),
    }
}
