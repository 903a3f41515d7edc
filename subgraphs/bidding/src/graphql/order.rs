//! Bids and asks, as their owners see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result};
use chassis::auth::Viewer;
use chassis::page::{Cursor, Page};
use chassis::{Env, Failure};
use chrono::{DateTime, Utc};
use contract::{BookOrderId, Long, MarketId, Money};
use entity::bidding::order as row;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::loaders::{AheadOf, load};
use super::market::Market;
use super::stubs::Offer;
use crate::number::order_id;

/// On which side of a market an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::Side")]
pub enum BookSide {
    /// Wants to buy.
    Bid,
    /// Wants to sell.
    Ask,
}

/// Where a bid or an ask stands. `OPEN` becomes one of the others; a filled ask is `OPEN` again when its buyer cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::Status")]
pub enum BookOrderStatus {
    /// It waits in the book.
    Open,
    /// Every piece is matched.
    Filled,
    /// What was not matched is cancelled.
    Cancelled,
    /// Its time was up.
    Expired,
}

/// Why a bid or an ask was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "row::Reason")]
pub enum BookOrderReason {
    /// Its owner took it back.
    Owner,
    /// It was for now or not at all.
    Immediate,
    /// It met an order of its own owner.
    SelfTrade,
    /// The seller paused, or may not sell any more.
    SellingPaused,
    /// The payment behind it can no longer pay, or the buyer is suspended.
    AuthLapsed,
}

/// A bid or an ask.
pub struct BookOrder(pub row::Model);

#[Object]
impl BookOrder {
    /// Its id.
    async fn id(&self) -> BookOrderId {
        order_id(self.0.partition, self.0.number)
    }

    /// Whether it buys or sells.
    async fn side(&self) -> BookSide {
        self.0.side.into()
    }

    /// Where it was placed.
    async fn market(&self, ctx: &Context<'_>) -> Result<Option<Market>> {
        Ok(load(ctx, MarketId(self.0.market)).await?.map(Market))
    }

    /// A bid pays no more for a piece, an ask gets no less.
    async fn price(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let market = load(ctx, MarketId(self.0.market)).await?;
        Ok(market.map(|market| market.money(self.0.price_minor)))
    }

    /// Pieces that were wanted in all.
    async fn quantity(&self) -> Long {
        Long(self.0.quantity)
    }

    /// Pieces that wait in the book.
    async fn remaining(&self) -> Long {
        Long(self.0.remaining)
    }

    /// Pieces that are matched.
    async fn filled(&self) -> Long {
        Long(self.0.filled)
    }

    /// Where it stands.
    async fn status(&self) -> BookOrderStatus {
        self.0.status.into()
    }

    /// The offer whose stock backs it. Null: nothing is reserved for it.
    async fn offer(&self) -> Option<Offer> {
        self.0.offer_id.map(|id| Offer { id })
    }

    /// Why it was cancelled. Null: it was not.
    async fn reason(&self) -> Option<BookOrderReason> {
        self.0.reason.map(BookOrderReason::from)
    }

    /// Its place in the queue: 1 is matched next. Null: it does not wait, or has only just come.
    async fn rank(&self, ctx: &Context<'_>) -> Result<Option<Long>> {
        if self.0.status != row::Status::Open {
            return Ok(None);
        }
        let ahead = load(ctx, AheadOf { partition: self.0.partition, number: self.0.number }).await?;
        Ok(ahead.map(|orders| Long(orders + 1)))
    }

    /// From then on it is dead. Null: it was for now or not at all.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.0.placed_at
    }

    /// When it last changed.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
}

/// The newest first: when it was placed, in microseconds since 1970, then its name in the engine.
type Place = (i64, i32, i64);

#[derive(Default)]
pub struct OrderQueries;

#[Object]
impl OrderQueries {
    /// Your bids, the newest first.
    async fn my_bids(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand so.")] status: Option<BookOrderStatus>,
        #[graphql(desc = "Only those in this market.")] market_id: Option<MarketId>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Place>, BookOrder>> {
        let page = Page::read(first, after.as_deref())?;
        mine(ctx, row::Side::Bid, status.map(row::Status::from), market_id, page).await
    }

    /// Your asks, the newest first.
    async fn my_asks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand so.")] status: Option<BookOrderStatus>,
        #[graphql(desc = "Only those in this market.")] market_id: Option<MarketId>,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Connection<Cursor<Place>, BookOrder>> {
        let page = Page::read(first, after.as_deref())?;
        mine(ctx, row::Side::Ask, status.map(row::Status::from), market_id, page).await
    }
}

async fn mine(
    ctx: &Context<'_>,
    side: row::Side,
    status: Option<row::Status>,
    market: Option<MarketId>,
    page: Page<Place>,
) -> Result<Connection<Cursor<Place>, BookOrder>> {
    let viewer = Viewer::required(ctx)?;
    let wanted = Condition::all()
        .add(row::Column::Account.eq(viewer.user.0))
        .add(row::Column::Side.eq(side))
        .add_option(status.map(|status| row::Column::Status.eq(status)))
        .add_option(market.map(|market| row::Column::Market.eq(market.0)))
        .add_option(page.after.map(after));
    let rows = row::Entity::find()
        .filter(wanted)
        .order_by_desc(row::Column::PlacedAt)
        .order_by_desc(row::Column::Partition)
        .order_by_desc(row::Column::Number)
        .limit(page.rows())
        .all(ctx.data_unchecked::<Env>().db.read())
        .await
        .map_err(Failure::from)?;
    let place = |row: &row::Model| (row.placed_at.timestamp_micros(), row.partition, row.number);
    Ok(page.connection(rows, place, BookOrder))
}

/// What was placed before.
fn after((placed_at, partition, number): Place) -> Condition {
    let at = DateTime::from_timestamp_micros(placed_at).unwrap_or_default();
    let name = Expr::tuple([
        Expr::col(row::Column::PlacedAt),
        Expr::col(row::Column::Partition),
        Expr::col(row::Column::Number),
    ]);
    Condition::all().add(name.lt(Expr::tuple([Expr::val(at), Expr::val(partition), Expr::val(number)])))
}
