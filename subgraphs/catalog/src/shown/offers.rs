//! Offers that can be bought: published, of a verified seller.

use chassis::Failure;
use contract::{CurrencyCode, OfferId, ProductId, VariantId};
use entity::catalog::{offer, offer_price};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

use crate::sql::Sql;

const CAN_BE_BOUGHT: &str = "o.publication = 'published' and s.status = 'verified'";

/// Whose lowest offers to find.
pub(crate) enum Of {
    Products(Vec<ProductId>),
    Variants(Vec<VariantId>),
}

/// The lowest offer of each: in stock before out of stock, then the first currency by its code, then the price.
pub(crate) async fn lowest(
    db: &impl ConnectionTrait,
    of: Of,
    currency: Option<CurrencyCode>,
) -> Result<Vec<offer::Model>, Failure> {
    let column = match of {
        Of::Products(_) => "o.product_id",
        Of::Variants(_) => "o.variant_id",
    };
    let mut sql = Sql::new("select * from (select o.*, row_number() over (partition by ");
    sql.push(column).push(
        " order by case when o.available > 0 then 0 else 1 end, o.currency, o.price_minor, o.id) as standing \
         from offer o join seller s on s.id = o.seller_id where ",
    );
    sql.push(CAN_BE_BOUGHT).push(" and ").push(column).push(" in ");
    match of {
        Of::Products(ids) => sql.bind_list(ids),
        Of::Variants(ids) => sql.bind_list(ids),
    };
    if let Some(currency) = currency {
        sql.push(" and o.currency = ").bind(currency.as_str());
    }
    sql.push(") as ranked where standing = 1");
    Ok(offer::Entity::find().from_raw_sql(sql.statement(db)).all(db).await?)
}

/// Where a page of offers ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// In the order in which they were made.
    Made(OfferId),
    /// By currency, price and age.
    Cheapest(String, i64, OfferId),
}

/// A page of the offers for one variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ForVariant {
    pub(crate) variant: VariantId,
    pub(crate) first: u64,
    pub(crate) after: Option<Place>,
}

/// The offers of many pages that begin at the same place and are of one length, cheapest first.
pub(crate) async fn for_variants(
    db: &impl ConnectionTrait,
    variants: impl IntoIterator<Item = VariantId>,
    first: u64,
    after: Option<&Place>,
) -> Result<Vec<offer::Model>, Failure> {
    let mut sql = Sql::new(
        "select * from (select o.*, row_number() over (partition by o.variant_id \
         order by o.currency, o.price_minor, o.id) as standing \
         from offer o join seller s on s.id = o.seller_id where ",
    );
    sql.push(CAN_BE_BOUGHT).push(" and o.variant_id in ").bind_list(variants);
    if let Some(Place::Cheapest(currency, price_minor, id)) = after {
        sql.push(" and (o.currency, o.price_minor, o.id) > (").bind(currency.as_str());
        sql.push(", ").bind(*price_minor).push(", ").bind(*id).push(")");
    }
    sql.push(") as ranked where standing <= ").bind(first as i64 + 1).push(" order by standing");
    Ok(offer::Entity::find().from_raw_sql(sql.statement(db)).all(db).await?)
}

/// A page of the prices of one offer; `after` is the version of the last one seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PricesOf {
    pub(crate) offer: OfferId,
    pub(crate) first: u64,
    pub(crate) after: Option<i64>,
}

/// The prices of many pages that begin at the same place and are of one length, newest first.
pub(crate) async fn prices(
    db: &impl ConnectionTrait,
    offers: impl IntoIterator<Item = OfferId>,
    first: u64,
    after: Option<i64>,
) -> Result<Vec<offer_price::Model>, Failure> {
    let mut sql = Sql::new(
        "select * from (select h.*, row_number() over (partition by h.offer_id order by h.version desc) \
         as standing from offer_price h where h.offer_id in ",
    );
    sql.bind_list(offers);
    if let Some(after) = after {
        sql.push(" and h.version < ").bind(after);
    }
    sql.push(") as ranked where standing <= ").bind(first as i64 + 1).push(" order by standing");
    Ok(offer_price::Entity::find().from_raw_sql(sql.statement(db)).all(db).await?)
}
