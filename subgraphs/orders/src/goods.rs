//! What can be bought now: offers with their seller, their stock and their weight, read with one statement; also together
//! with the carts that they lie in.

use std::collections::HashMap;

use chassis::Failure;
use contract::{CartId, CurrencyCode, Money, OfferId, ProductId, SellerId, VariantId};
use entity::orders::{cart_line, offer, parcel_weight, seller, stock, tariff};
use sea_orm::prelude::DateTimeUtc;
use sea_orm::sea_query::{Expr, JoinType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Select,
};

use crate::tariff::{self as tariffs, Revisions};

/// An offer as a buyer meets it.
#[derive(Clone, Debug)]
pub struct Goods {
    pub offer_id: OfferId,
    pub product_id: ProductId,
    pub variant_id: VariantId,
    pub seller_id: SellerId,
    pub price: Money,
    /// Published, by a seller who may sell.
    pub for_sale: bool,
    /// As inventory last said. It may be less or more by now.
    pub available: i64,
    pub weight_grams: i64,
}

#[derive(FromQueryResult)]
struct Row {
    offer_id: OfferId,
    product_id: ProductId,
    variant_id: VariantId,
    seller_id: SellerId,
    price_minor: i64,
    currency: String,
    publication: offer::Publication,
    status: Option<seller::Status>,
    available: Option<i64>,
    grams: Option<i64>,
}

/// Those of `offers` that orders has heard of.
pub async fn find(
    db: &impl ConnectionTrait,
    offers: impl IntoIterator<Item = OfferId>,
) -> Result<HashMap<OfferId, Goods>, Failure> {
    let known = offer::Entity::find().select_only().column(offer::Column::OfferId);
    let rows =
        with_facts(known.filter(offer::Column::OfferId.is_in(offers))).into_model::<Row>().all(db).await?;
    rows.into_iter().map(|row| Ok((row.offer_id, row.goods()?))).collect()
}

/// Adds what is known of each offer: from its own row, and besides that.
fn with_facts<E: EntityTrait>(offers: Select<E>) -> Select<E> {
    let weight = to(offer::Column::OfferId, parcel_weight::Entity, parcel_weight::Column::OfferId);
    offers
        .columns([
            offer::Column::ProductId,
            offer::Column::VariantId,
            offer::Column::SellerId,
            offer::Column::PriceMinor,
            offer::Column::Currency,
            offer::Column::Publication,
        ])
        .column(seller::Column::Status)
        .column(stock::Column::Available)
        .column(parcel_weight::Column::Grams)
        .join(JoinType::LeftJoin, to(offer::Column::SellerId, seller::Entity, seller::Column::SellerId))
        .join(JoinType::LeftJoin, to(offer::Column::OfferId, stock::Entity, stock::Column::OfferId))
        .join(JoinType::LeftJoin, weight)
}

/// What lies in some carts.
#[derive(Debug, Default)]
pub struct Contents {
    /// In the order in which they were put in.
    pub lines: HashMap<CartId, Vec<cart_line::Model>>,
    pub goods: HashMap<OfferId, Goods>,
    /// How old the tariffs are that the goods are priced by.
    pub revisions: Revisions,
}

#[derive(FromQueryResult)]
struct LineRow {
    cart_id: CartId,
    offer_id: OfferId,
    quantity: i64,
    added_minor: i64,
    added_currency: String,
    added_at: DateTimeUtc,
    product_id: Option<ProductId>,
    variant_id: Option<VariantId>,
    seller_id: Option<SellerId>,
    price_minor: Option<i64>,
    currency: Option<String>,
    publication: Option<offer::Publication>,
    status: Option<seller::Status>,
    available: Option<i64>,
    grams: Option<i64>,
    sellers_revision: Option<i64>,
    platforms_revision: Option<i64>,
}

/// The lines of `carts`, their goods, and how old the tariffs of those are: with one statement.
pub async fn in_carts(
    db: &impl ConnectionTrait,
    carts: impl IntoIterator<Item = CartId>,
) -> Result<Contents, Failure> {
    let carts: Vec<CartId> = carts.into_iter().collect();
    if carts.is_empty() {
        return Ok(Contents::default());
    }
    let platforms = Query::select()
        .column(tariff::Column::Revision)
        .from(tariff::Entity)
        .and_where(tariff::Column::Whose.eq(tariffs::id(None)))
        .take();
    let lines = cart_line::Entity::find()
        .filter(cart_line::Column::CartId.is_in(carts))
        .column_as(tariff::Column::Revision, "sellers_revision")
        .expr_as(Expr::from(platforms), "platforms_revision")
        .join(JoinType::LeftJoin, lines_offer());
    let rows = with_facts(lines)
        .join(JoinType::LeftJoin, to(offer::Column::SellerId, tariff::Entity, tariff::Column::Whose))
        .order_by_asc(cart_line::Column::AddedAt)
        .order_by_asc(cart_line::Column::OfferId)
        .into_model::<LineRow>()
        .all(db)
        .await?;
    let mut contents = Contents::default();
    rows.into_iter().try_for_each(|row| contents.put(row))?;
    Ok(contents)
}

impl Contents {
    fn put(&mut self, row: LineRow) -> Result<(), Failure> {
        self.revisions.insert(None, row.platforms_revision.unwrap_or(0));
        if let Some(seller_id) = row.seller_id {
            self.revisions.insert(Some(seller_id), row.sellers_revision.unwrap_or(0));
        }
        if let Some(goods) = row.goods() {
            self.goods.insert(row.offer_id, goods?);
        }
        self.lines.entry(row.cart_id).or_default().push(row.line());
        Ok(())
    }
}

impl LineRow {
    /// `None`: orders has not heard of the offer.
    fn goods(&self) -> Option<Result<Goods, Failure>> {
        let row = Row {
            offer_id: self.offer_id,
            product_id: self.product_id?,
            variant_id: self.variant_id?,
            seller_id: self.seller_id?,
            price_minor: self.price_minor?,
            currency: self.currency.clone()?,
            publication: self.publication?,
            status: self.status,
            available: self.available,
            grams: self.grams,
        };
        Some(row.goods())
    }

    fn line(self) -> cart_line::Model {
        cart_line::Model {
            cart_id: self.cart_id,
            offer_id: self.offer_id,
            quantity: self.quantity,
            added_minor: self.added_minor,
            added_currency: self.added_currency,
            added_at: self.added_at,
        }
    }
}

fn lines_offer() -> RelationDef {
    cart_line::Entity::belongs_to(offer::Entity)
        .from(cart_line::Column::OfferId)
        .to(offer::Column::OfferId)
        .into()
}

fn to<E: EntityTrait>(from: offer::Column, entity: E, column: E::Column) -> RelationDef {
    offer::Entity::belongs_to(entity).from(from).to(column).into()
}

impl Row {
    fn goods(self) -> Result<Goods, Failure> {
        let currency: CurrencyCode = self.currency.parse()?;
        let published = self.publication == offer::Publication::Published;
        Ok(Goods {
            offer_id: self.offer_id,
            product_id: self.product_id,
            variant_id: self.variant_id,
            seller_id: self.seller_id,
            price: Money { amount_minor: self.price_minor, currency },
            for_sale: published && self.status == Some(seller::Status::Verified),
            available: self.available.unwrap_or(0),
            weight_grams: self.grams.unwrap_or(0),
        })
    }
}
