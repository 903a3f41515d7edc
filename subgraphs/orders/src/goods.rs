//! What can be bought now: offers with their seller, their stock and their weight, read with one statement.

use std::collections::HashMap;

use chassis::Failure;
use contract::{CurrencyCode, Money, OfferId, ProductId, SellerId, VariantId};
use entity::orders::{offer, parcel_weight, seller, stock};
use sea_orm::sea_query::JoinType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, RelationDef,
};

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
    let rows = offer::Entity::find()
        .select_only()
        .columns([
            offer::Column::OfferId,
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
        .join(
            JoinType::LeftJoin,
            to(offer::Column::OfferId, parcel_weight::Entity, parcel_weight::Column::OfferId),
        )
        .filter(offer::Column::OfferId.is_in(offers))
        .into_model::<Row>()
        .all(db)
        .await?;
    rows.into_iter().map(|row| Ok((row.offer_id, row.goods()?))).collect()
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
