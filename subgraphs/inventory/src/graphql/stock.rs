//! Levels and the log of movements, as clients see them.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chassis::auth::{Role, Viewer};
use chassis::page::{Cursor, Page};
use chassis::{Denied, Env, Failure};
use chrono::{DateTime, Utc};
use contract::{Long, MovementId, OfferId, OrderId, ReservationId, ShipmentId};
use entity::inventory::stock_movement::{self, Column, Entity, Kind};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::loaders::{ShelvesOf, load};
use super::location::Location;
use super::offer::{Offer, Variant};
use crate::offer;
use crate::stock::Level;
use crate::stock::read::{self, OwnedLevel};

/// The stock of one offer over all its locations, at one moment.
pub struct StockLevel {
    level: Level,
    /// Whether the viewer may see more than what can be bought.
    private: bool,
}

impl StockLevel {
    /// What the viewer of this request may see of a level.
    pub(super) fn shown_to(ctx: &Context<'_>, owned: OwnedLevel) -> Self {
        let private = Viewer::maybe(ctx)
            .is_some_and(|viewer| viewer.is(Role::Admin) || owned.owner == Some(viewer.user));
        Self { level: owned.level, private }
    }
}

/// The level of an offer whose keeper has just moved it.
impl From<Level> for StockLevel {
    fn from(level: Level) -> Self {
        Self { level, private: true }
    }
}

/// The stock of one offer over all its locations, at one moment.
#[Object]
impl StockLevel {
    /// The offer.
    async fn offer(&self) -> Offer {
        Offer { id: self.level.offer_id }
    }

    /// What the offer sells.
    async fn variant(&self) -> Variant {
        Variant { id: self.level.variant_id }
    }

    /// Pieces that can be bought: on hand minus reserved, never negative.
    async fn available(&self) -> Long {
        Long(self.level.available)
    }

    /// Pieces on the shelves, reserved ones included. For the offer's seller and admins; null for others.
    async fn on_hand(&self) -> Option<Long> {
        self.private.then_some(Long(self.level.on_hand))
    }

    /// Pieces promised to somebody. For the offer's seller and admins; null for others.
    async fn reserved(&self) -> Option<Long> {
        self.private.then_some(Long(self.level.reserved))
    }

    /// Counts up by one with every change of this offer's stock. The expected version of `countStock`.
    async fn sequence(&self) -> Long {
        Long(self.level.sequence)
    }

    /// Where the pieces lie now. For the offer's seller and admins; null for others.
    async fn locations(&self, ctx: &Context<'_>) -> Result<Option<Vec<LocationStock>>> {
        if !self.private {
            return Ok(None);
        }
        let shelves = load(ctx, ShelvesOf(self.level.offer_id)).await?.unwrap_or_default();
        let shown = shelves
            .into_iter()
            .map(|(location, on_hand)| LocationStock { location: location.into(), on_hand: Long(on_hand) });
        Ok(Some(shown.collect()))
    }
}

/// The pieces of an offer at one location.
#[derive(SimpleObject)]
pub struct LocationStock {
    /// The location.
    location: Location,
    /// Pieces on its shelf, reserved ones included.
    on_hand: Long,
}

/// What happened to stock.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum StockMovementKind {
    /// New pieces came in.
    Received,
    /// Pieces were promised to somebody.
    Reserved,
    /// A promise was given back, or its time was up.
    Released,
    /// Promised pieces were sold and left the shelf.
    Committed,
    /// Somebody corrected the shelf: by hand or by a count.
    Adjusted,
    /// Sold pieces came back.
    Returned,
}

/// One entry of the log of stock. It never changes.
pub struct StockMovement(stock_movement::Model);

/// One entry of the log of stock. It never changes.
#[Object]
impl StockMovement {
    /// The movement's id.
    async fn id(&self) -> MovementId {
        self.0.id
    }

    /// Whose stock moved.
    async fn offer(&self) -> Offer {
        Offer { id: self.0.offer_id }
    }

    /// The shelf that pieces left or reached. Null when only promises changed.
    async fn location(&self, ctx: &Context<'_>) -> Result<Option<Location>> {
        match self.0.location_id {
            Some(location) => Ok(load(ctx, location).await?.map(Location::from)),
            None => Ok(None),
        }
    }

    /// What happened.
    async fn kind(&self) -> StockMovementKind {
        self.0.kind.into()
    }

    /// The change of pieces on the shelf.
    async fn on_hand_delta(&self) -> Long {
        Long(self.0.on_hand_delta)
    }

    /// The change of promised pieces.
    async fn reserved_delta(&self) -> Long {
        Long(self.0.reserved_delta)
    }

    /// A user's id, or the part of the system that moved the stock.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Why, in the words of whoever did it.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The reservation that was made, committed or given back.
    async fn reservation_id(&self) -> Option<ReservationId> {
        self.0.reservation_id
    }

    /// The order it was for.
    async fn order_id(&self) -> Option<OrderId> {
        self.0.order_id
    }

    /// The shipment that it came with.
    async fn shipment_id(&self) -> Option<ShipmentId> {
        self.0.shipment_id
    }

    /// The sequence of the offer's stock after it. Movements made together share it.
    async fn sequence(&self) -> Long {
        Long(self.0.version)
    }

    /// When it happened.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

#[derive(Default)]
pub struct StockQueries;

#[Object]
impl StockQueries {
    /// The stock of an offer, now or as it was. Null when there is no such offer.
    async fn stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The offer.")] offer_id: OfferId,
        #[graphql(desc = "A moment; without it, now.")] as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<StockLevel>> {
        let owned = match as_of {
            None => load(ctx, offer_id).await?,
            Some(moment) => {
                let moment = readable("asOf", moment)?;
                read::as_of(ctx.data_unchecked::<Env>().db.read(), offer_id, moment).await?
            }
        };
        Ok(owned.map(|owned| StockLevel::shown_to(ctx, owned)))
    }

    /// The log of an offer's stock, newest first. For the offer's seller and admins; null when there is no such offer of
    /// theirs.
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The offer.")] offer_id: OfferId,
        #[graphql(desc = "How many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Cursor<(i64, MovementId)>, StockMovement>>> {
        let keeper = super::keeper(ctx)?;
        let page = Page::<(i64, MovementId)>::read(first, after.as_deref())?;
        let db = ctx.data_unchecked::<Env>().db.read();
        if offer::kept_by(db, keeper, [offer_id]).await?.is_empty() {
            return Ok(None);
        }
        let mut log = Entity::find()
            .filter(Column::OfferId.eq(offer_id))
            .order_by_desc(Column::Version)
            .order_by_desc(Column::Id)
            .limit(page.rows());
        if let Some((version, id)) = page.after {
            let place = Expr::tuple([Expr::col(Column::Version), Expr::col(Column::Id)]);
            log = log.filter(place.lt(Expr::tuple([Expr::val(version), Expr::val(id)])));
        }
        let rows = log.all(db).await.map_err(Failure::from)?;
        Ok(Some(page.connection(rows, |row| (row.version, row.id), StockMovement)))
    }
}

/// Refuses a moment that no table can hold.
pub(super) fn readable(field: &'static str, moment: DateTime<Utc>) -> Result<DateTime<Utc>, Denied> {
    use chrono::Datelike;
    if (1970..10_000).contains(&moment.year()) {
        Ok(moment)
    } else {
        Err(Denied::bad_input(field, "must be between the years 1970 and 9999"))
    }
}
