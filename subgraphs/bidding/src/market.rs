//! Markets: opening one, changing its rules, finding it.

use chassis::{Failure, Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::{CurrencyCode, MarketId, VariantId};
use entity::bidding::market::{Column, Condition, Entity, Model};
use entity::bidding::variant;
use matching::MarketRules;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::limits::{PRICE_MAX_MINOR, PRICE_MAX_MINOR_DEFAULT, TICK_MINOR_DEFAULT};

/// The currency of a market for which nobody chose one.
pub const CURRENCY_DEFAULT: CurrencyCode = CurrencyCode::USD;

/// Open the market of a variant.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// The market's id, new.
    pub id: MarketId,
    pub partition: i32,
    pub variant_id: VariantId,
    pub condition: Condition,
    pub currency: CurrencyCode,
    pub rules: MarketRules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketRefusal {
    #[error("there is no such variant")]
    VariantNotFound,
    #[error("there is no such market")]
    MarketNotFound,
    #[error(
        "the tick must be at least 1, and the range must hold a multiple of it, at most {PRICE_MAX_MINOR}"
    )]
    RulesInvalid,
    #[error("a price is at least 1")]
    RetailInvalid,
}

/// The rules of a market for which nobody chose any.
pub fn default_rules() -> MarketRules {
    MarketRules {
        tick: TICK_MINOR_DEFAULT,
        price_min: TICK_MINOR_DEFAULT,
        price_max: PRICE_MAX_MINOR_DEFAULT,
    }
}

/// Opens a market, or gives the one that is there: opening twice is opening once.
pub async fn open(tx: &Tx, now: DateTime<Utc>, command: Open) -> Outcome<Model, MarketRefusal> {
    if !can_be_met(command.rules) {
        return Ok(Err(MarketRefusal::RulesInvalid));
    }
    if variant::Entity::find_by_id(command.variant_id).one(tx).await?.is_none() {
        return Ok(Err(MarketRefusal::VariantNotFound));
    }
    let row = Model {
        id: command.id,
        variant_id: command.variant_id,
        condition: command.condition,
        currency: command.currency.to_string(),
        partition: command.partition,
        tick_minor: command.rules.tick,
        price_min_minor: command.rules.price_min,
        price_max_minor: command.rules.price_max,
        version: 1,
        applied_version: 0,
        opened_at: now,
        retail_minor: None,
    };
    Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let there = find(tx, command.variant_id, command.condition, command.currency).await?;
    Ok(Ok(there.ok_or_else(|| Failure::msg("a market vanished"))?))
}

/// Gives a market new rules. Orders that rest already stay as they are.
pub async fn set_rules(tx: &Tx, id: MarketId, rules: MarketRules) -> Outcome<Model, MarketRefusal> {
    if !can_be_met(rules) {
        return Ok(Err(MarketRefusal::RulesInvalid));
    }
    Entity::update_many()
        .col_expr(Column::TickMinor, Expr::val(rules.tick))
        .col_expr(Column::PriceMinMinor, Expr::val(rules.price_min))
        .col_expr(Column::PriceMaxMinor, Expr::val(rules.price_max))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(Entity::find_by_id(id).one(tx).await?.ok_or(MarketRefusal::MarketNotFound))
}

/// Says what the goods of a market cost in the shop; `None`: nobody knows.
pub async fn set_retail(tx: &Tx, id: MarketId, retail_minor: Option<i64>) -> Outcome<Model, MarketRefusal> {
    if retail_minor.is_some_and(|retail| retail < 1) {
        return Ok(Err(MarketRefusal::RetailInvalid));
    }
    Entity::update_many()
        .col_expr(Column::RetailMinor, Expr::val(retail_minor))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(Entity::find_by_id(id).one(tx).await?.ok_or(MarketRefusal::MarketNotFound))
}

/// The market of a variant in a condition and a currency, if somebody opened it.
pub async fn find(
    db: &impl ConnectionTrait,
    variant: VariantId,
    condition: Condition,
    currency: CurrencyCode,
) -> Result<Option<Model>, Failure> {
    let found = Entity::find()
        .filter(Column::VariantId.eq(variant))
        .filter(Column::Condition.eq(condition))
        .filter(Column::Currency.eq(currency.as_str()));
    Ok(found.one(db).await?)
}

/// The rules of a market as its row has them.
pub fn rules(market: &Model) -> MarketRules {
    MarketRules {
        tick: market.tick_minor,
        price_min: market.price_min_minor,
        price_max: market.price_max_minor,
    }
}

/// The engine's name for a market.
pub fn engine_id(market: MarketId) -> matching::MarketId {
    matching::MarketId(market.0.as_u128())
}

fn can_be_met(rules: MarketRules) -> bool {
    let MarketRules { tick, price_min, price_max } = rules;
    let in_order = tick >= 1 && price_min >= 1 && price_min <= price_max && price_max <= PRICE_MAX_MINOR;
    in_order && price_max / tick * tick >= price_min
}
