//! Reading stock: now, for many offers with one statement, and as it was.

use chassis::Failure;
use chrono::{DateTime, Utc};
use contract::{OfferId, SellerId, UserId, VariantId};
use entity::inventory::offer::Publication;
use entity::inventory::seller::Status;
use entity::inventory::{offer, seller, stock_level, stock_movement};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    RelationDef, Select,
};

use super::Level;

/// A level and who may see all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedLevel {
    pub level: Level,
    /// `None`: the shop's event is still on its way.
    pub owner: Option<UserId>,
}

#[derive(FromQueryResult)]
struct Row {
    offer_id: OfferId,
    variant_id: VariantId,
    seller_id: SellerId,
    user_id: Option<UserId>,
    on_hand: i64,
    reserved: i64,
    available: i64,
    version: i64,
}

impl From<Row> for OwnedLevel {
    fn from(row: Row) -> Self {
        let level = Level {
            offer_id: row.offer_id,
            variant_id: row.variant_id,
            seller_id: row.seller_id,
            on_hand: row.on_hand,
            reserved: row.reserved,
            available: row.available,
            sequence: row.version,
        };
        Self { level, owner: row.user_id }
    }
}

/// The levels of those `offers` that are known.
pub async fn by_offers(
    db: &impl ConnectionTrait,
    offers: impl IntoIterator<Item = OfferId>,
) -> Result<Vec<OwnedLevel>, Failure> {
    rows(db, levels().filter(offer::Column::OfferId.is_in(offers))).await
}

/// The levels of every offer of `variants`.
pub async fn by_variants(
    db: &impl ConnectionTrait,
    variants: impl IntoIterator<Item = VariantId>,
) -> Result<Vec<OwnedLevel>, Failure> {
    rows(db, levels().filter(offer::Column::VariantId.is_in(variants))).await
}

async fn rows(db: &impl ConnectionTrait, levels: Select<offer::Entity>) -> Result<Vec<OwnedLevel>, Failure> {
    Ok(levels.into_model::<Row>().all(db).await?.into_iter().map(OwnedLevel::from).collect())
}

fn levels() -> Select<offer::Entity> {
    offer::Entity::find()
        .select_only()
        .columns([offer::Column::OfferId, offer::Column::VariantId, offer::Column::SellerId])
        .column(seller::Column::UserId)
        .columns([stock_level::Column::OnHand, stock_level::Column::Reserved, stock_level::Column::Available])
        .column(stock_level::Column::Version)
        .join(JoinType::InnerJoin, to_level())
        .join(JoinType::LeftJoin, to_seller())
}

fn to_level() -> RelationDef {
    offer::Entity::belongs_to(stock_level::Entity)
        .from(offer::Column::OfferId)
        .to(stock_level::Column::OfferId)
        .into()
}

fn to_seller() -> RelationDef {
    offer::Entity::belongs_to(seller::Entity)
        .from(offer::Column::SellerId)
        .to(seller::Column::SellerId)
        .into()
}

/// What buyers can get of a variant: over published offers of verified sellers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct VariantStock {
    pub variant_id: VariantId,
    pub available: i64,
    /// Offers with at least one piece.
    pub offers_in_stock: i64,
}

/// The stock of those `variants` that have any offer to buyers.
pub async fn of_variants(
    db: &impl ConnectionTrait,
    variants: impl IntoIterator<Item = VariantId>,
) -> Result<Vec<VariantStock>, Failure> {
    let available = Expr::col((stock_level::Entity, stock_level::Column::Available));
    let stocked = offer::Entity::find()
        .select_only()
        .column(offer::Column::VariantId)
        .column_as(available.clone().sum().cast_as("bigint"), "available")
        .column_as(Expr::val(1).count().cast_as("bigint"), "offers_in_stock")
        .join(JoinType::InnerJoin, to_level())
        .join(JoinType::InnerJoin, to_seller())
        .filter(offer::Column::VariantId.is_in(variants))
        .filter(offer::Column::Publication.eq(Publication::Published))
        .filter(seller::Column::Status.eq(Status::Verified))
        .filter(available.gt(0))
        .group_by(offer::Column::VariantId);
    Ok(stocked.into_model().all(db).await?)
}

#[derive(FromQueryResult)]
struct Sums {
    on_hand: i64,
    reserved: i64,
    version: i64,
}

/// The level of an offer as it was at `moment`: the log up to then, summed up. `None`: no such offer.
pub async fn as_of(
    db: &impl ConnectionTrait,
    offer_id: OfferId,
    moment: DateTime<Utc>,
) -> Result<Option<OwnedLevel>, Failure> {
    let Some(mut owned) = by_offers(db, [offer_id]).await?.pop() else {
        return Ok(None);
    };
    let or_zero = |sum: Expr| Expr::from(Func::coalesce([sum, Expr::val(0)])).cast_as("bigint");
    let sum = |column: stock_movement::Column| or_zero(Expr::col(column).sum());
    let sums = stock_movement::Entity::find()
        .select_only()
        .column_as(sum(stock_movement::Column::OnHandDelta), "on_hand")
        .column_as(sum(stock_movement::Column::ReservedDelta), "reserved")
        .column_as(or_zero(Expr::col(stock_movement::Column::Version).max()), "version")
        .filter(stock_movement::Column::OfferId.eq(offer_id))
        .filter(stock_movement::Column::At.lte(moment))
        .into_model::<Sums>()
        .one(db)
        .await?
        .ok_or_else(|| Failure::msg("a sum gave no row"))?;
    owned.level.on_hand = sums.on_hand;
    owned.level.reserved = sums.reserved;
    owned.level.available = sums.on_hand - sums.reserved;
    owned.level.sequence = sums.version;
    Ok(Some(owned))
}
