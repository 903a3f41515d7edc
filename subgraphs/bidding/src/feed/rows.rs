//! A market's book as its rows have it, where another process writes the market.

use chassis::{Database, Failure};
use contract::MarketId;
use entity::bidding::{order, ticker};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::ladder::{Ladder, Level};

/// The best `levels` of each side at the watermark, and the sequence of the ticker beside them.
pub async fn ladder(db: &Database, market: MarketId, levels: usize) -> Result<(u64, Ladder), Failure> {
    let ticker = ticker::Entity::find_by_id(market).one(db.read()).await?;
    let bids = side(db, market, order::Side::Bid, levels).await?;
    let asks = side(db, market, order::Side::Ask, levels).await?;
    Ok((ticker.map_or(0, |ticker| ticker.sequence as u64), Ladder { bids, asks }))
}

async fn side(
    db: &Database,
    market: MarketId,
    side: order::Side,
    levels: usize,
) -> Result<Vec<Level>, Failure> {
    let best_first = match side {
        order::Side::Bid => sea_orm::Order::Desc,
        order::Side::Ask => sea_orm::Order::Asc,
    };
    let rows: Vec<(i64, i64)> = order::Entity::find()
        .select_only()
        .column(order::Column::PriceMinor)
        // The sum of big integers is a decimal in PostgreSQL.
        .column_as(Expr::col(order::Column::Remaining).sum().cast_as("bigint"), "pieces")
        .filter(order::Column::Market.eq(market.0))
        .filter(order::Column::Side.eq(side))
        .filter(order::Column::Status.eq(order::Status::Open))
        .filter(order::Column::Remaining.gt(0))
        .group_by(order::Column::PriceMinor)
        .order_by(order::Column::PriceMinor, best_first)
        .limit(levels as u64)
        .into_tuple()
        .all(db.read())
        .await?;
    Ok(rows.into_iter().map(|(price, pieces)| Level { price, quantity: pieces as u64 }).collect())
}
