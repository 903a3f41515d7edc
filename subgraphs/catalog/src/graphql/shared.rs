//! What the types of several files use.

use std::str::FromStr;

use async_graphql::{Context, Enum, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use chassis::auth::{Role, Viewer};
use chassis::{Env, Failure};
use contract::{Long, SellerId, bad_input};
use entity::catalog;

use super::loaders::{self, ShopOf};
use crate::number::Number;

/// Whether buyers see something. DRAFT becomes PUBLISHED or ARCHIVED, PUBLISHED becomes ARCHIVED, ARCHIVED becomes
/// PUBLISHED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "catalog::Publication")]
pub enum Publication {
    /// Not yet: only its owner and admins see it.
    Draft,
    /// Everybody sees it.
    Published,
    /// Not any more: only its owner and admins see it.
    Archived,
}

/// The state of the goods in an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "catalog::Condition")]
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

/// A shop or reseller.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Seller {
    /// Its id.
    pub id: SellerId,
}

/// A decimal number with at most 6 digits after the point, below 10^12: a JSON string such as `"9.5"`. A JSON number is
/// taken as well.
#[Scalar(name = "Decimal")]
impl ScalarType for Number {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or(f64::NAN).to_string(),
            Value::Number(number) => number.to_string(),
            _ => return Err(bad_input(&value, format!("{value} is not a decimal number"))),
        };
        Number::from_str(&text).map_err(|wrong| bad_input(&value, wrong))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

pub(super) fn env<'c>(ctx: &Context<'c>) -> &'c Env {
    ctx.data_unchecked()
}

/// What this transaction has just written.
pub(super) fn found<T>(row: Option<T>) -> Result<T, Failure> {
    row.ok_or_else(|| Failure::msg("what was written is not there"))
}

/// A version as clients see it.
pub(super) fn version(version: i64) -> Long {
    Long(version)
}

/// Whether the viewer sees something that `owner` has not published.
pub(super) async fn sees_hidden(ctx: &Context<'_>, owner: Option<SellerId>) -> async_graphql::Result<bool> {
    let Some(viewer) = Viewer::maybe(ctx) else {
        return Ok(false);
    };
    if viewer.is(Role::Admin) {
        return Ok(true);
    }
    let shop = loaders::load(ctx, ShopOf(viewer.user)).await?;
    Ok(shop.is_some_and(|shop| Some(shop.id) == owner))
}
