//! The facets of a search.

use std::sync::Arc;

use async_graphql::{Context, Object, ScalarType, SimpleObject, Value};
use contract::{CategoryId, Long};
use entity::catalog::category;

use super::attribute::AttributeKind;
use super::category::Category;
use super::plain::{AtHand, Plain};
use super::shared::Condition;
use crate::search::{CategoryCount, Found, PriceRange, Search, ValueCount};

/// How many products there are under each value of each filter. A facet counts with every filter but its own: so it tells
/// what choosing another value would find. Each has at most 50 values, those with the most products.
pub struct SearchFacets(pub(super) Arc<Found>);

/// A value and how many products there are.
#[derive(SimpleObject)]
pub struct FacetValue {
    /// The value, to filter by.
    pub value: String,
    /// How many products.
    pub count: Long,
}

impl From<&ValueCount> for FacetValue {
    fn from(counted: &ValueCount) -> Self {
        Self { value: counted.value.clone(), count: long(counted.count) }
    }
}

impl AtHand for FacetValue {
    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "value" => Some(Value::String(self.value.clone())),
            "count" => Some(self.count.to_value()),
            _ => None,
        }
    }
}

/// A condition and how many products are offered in it.
#[derive(SimpleObject)]
pub struct FacetCondition {
    /// The condition.
    pub condition: Condition,
    /// How many products.
    pub count: Long,
}

/// Prices and how many products are offered for them.
#[derive(SimpleObject)]
pub struct FacetPrices {
    /// The lowest price, in the minor unit, inclusive.
    pub min_minor: Long,
    /// The highest price, in the minor unit, inclusive.
    pub max_minor: Long,
    /// How many products.
    pub count: Long,
}

impl From<PriceRange> for FacetPrices {
    fn from(counted: PriceRange) -> Self {
        Self {
            min_minor: long(counted.from_minor),
            max_minor: long(counted.to_minor.saturating_sub(1)),
            count: long(counted.count),
        }
    }
}

impl AtHand for FacetPrices {
    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "minMinor" => Some(self.min_minor.to_value()),
            "maxMinor" => Some(self.max_minor.to_value()),
            "count" => Some(self.count.to_value()),
            _ => None,
        }
    }
}

/// A category and how many products there are in it and below.
pub struct FacetCategory {
    counted: CategoryCount,
    row: Option<category::Model>,
}

/// A category and how many products there are in it and below.
#[Object]
impl FacetCategory {
    /// The category. Null: it is not there any more.
    async fn category(&self) -> Option<Category> {
        self.row.clone().map(Category::from)
    }

    /// How many products.
    async fn count(&self) -> Long {
        long(self.counted.count)
    }
}

/// An attribute and how many products have each of its values.
#[derive(SimpleObject)]
pub struct FacetAttribute {
    /// The attribute's name, to filter by.
    pub name: String,
    /// How people call it.
    pub label: String,
    /// What values it has; numbers and booleans show as text.
    pub kind: AttributeKind,
    /// Its values.
    pub values: Plain<FacetValue>,
}

/// How many products there are under each value of each filter. A facet counts with every filter but its own: so it tells
/// what choosing another value would find. Each has at most 50 values, those with the most products.
#[Object]
impl SearchFacets {
    /// By brand.
    async fn brands(&self) -> Plain<FacetValue> {
        self.0.counts.brands.iter().map(FacetValue::from).collect()
    }

    /// By category, those above included.
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FacetCategory>> {
        let counted = &self.0.counts.categories;
        let ids: Vec<CategoryId> = counted.iter().map(|counted| counted.id).collect();
        let mut rows = ctx.data_unchecked::<Search>().categories(&ids).await?;
        let facet =
            |counted: &CategoryCount| FacetCategory { counted: *counted, row: rows.remove(&counted.id) };
        Ok(counted.iter().map(facet).collect())
    }

    /// By condition of the goods on offer, from new to worn.
    async fn conditions(&self) -> Vec<FacetCondition> {
        let all = self.0.counts.conditions.iter();
        all.map(|(condition, count)| FacetCondition { condition: (*condition).into(), count: long(*count) })
            .collect()
    }

    /// By size on offer.
    async fn sizes(&self) -> Plain<FacetValue> {
        self.0.counts.sizes.iter().map(FacetValue::from).collect()
    }

    /// By price on offer, from low to high, in the currency of the search; empty without one.
    async fn prices(&self) -> Plain<FacetPrices> {
        self.0.counts.prices.iter().copied().map(FacetPrices::from).collect()
    }

    /// How many products are in stock.
    async fn in_stock(&self) -> Long {
        long(self.0.counts.in_stock)
    }

    /// By each filterable attribute that some product has.
    async fn attributes(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FacetAttribute>> {
        let known = ctx.data_unchecked::<Search>().filterable().await?;
        let facets = known.iter().map(|known| FacetAttribute {
            values: self.0.counts.attribute(&known.name).iter().map(FacetValue::from).collect(),
            name: known.name.clone(),
            label: known.label.clone(),
            kind: known.kind.into(),
        });
        Ok(facets.filter(|facet| !facet.values.0.is_empty()).collect())
    }
}

fn long(count: u64) -> Long {
    Long(i64::try_from(count).unwrap_or(i64::MAX))
}
