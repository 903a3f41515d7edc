//! What sellers and admins do with the pieces on their shelves: receive, take back, adjust, count.

use chassis::idempotency::Conflict;
use chassis::{Outcome, Tx};
use chrono::{DateTime, Utc};
use contract::text::BadText;
use contract::{LocationId, OfferId, OrderId};
use entity::inventory::stock_movement::Kind;
use entity::inventory::{location_level, offer as offer_row, stock_level};
use sea_orm::{EntityTrait, QuerySelect};

use crate::keeper::Keeper;
use crate::limits::{self, ON_HAND_MAX, QUANTITY_MAX, is_quantity};
use crate::stock::{self, Cause, Level, Move, Unfit};
use crate::{location, offer};

/// One offer's pieces at one location.
#[derive(Clone, Copy, Debug)]
pub struct Shelf {
    pub keeper: Keeper,
    pub offer_id: OfferId,
    pub location_id: LocationId,
}

/// Why there is no such shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShelf {
    #[error("there is no such offer")]
    OfferNotFound,
    #[error("the shop that makes this offer has no such location")]
    LocationNotFound,
    #[error("the location is closed")]
    LocationClosed,
}

impl Shelf {
    /// The offer and the location are the keeper's, of one shop.
    async fn look(self, tx: &Tx) -> Outcome<bool, NoShelf> {
        let offers: Vec<offer_row::Model> = offer::kept_by(tx, self.keeper, [self.offer_id]).await?;
        let Some(offer) = offers.first() else {
            return Ok(Err(NoShelf::OfferNotFound));
        };
        let location = location::find(tx, self.keeper, self.location_id).await?;
        Ok(match location.filter(|location| location.seller_id == offer.seller_id) {
            Some(location) => Ok(location.open),
            None => Err(NoShelf::LocationNotFound),
        })
    }

    /// [`look`](Self::look), and the location takes pieces in.
    async fn takes(self, tx: &Tx) -> Outcome<(), NoShelf> {
        let looked = self.look(tx).await?;
        Ok(looked.and_then(|open| if open { Ok(()) } else { Err(NoShelf::LocationClosed) }))
    }

    fn shift(self, kind: Kind, delta: i64, reason: Option<String>) -> Move {
        Move {
            offer_id: self.offer_id,
            location_id: Some(self.location_id),
            kind,
            on_hand_delta: delta,
            reserved_delta: 0,
            cause: Cause { actor: self.keeper.actor(), reason, ..Default::default() },
        }
    }
}

/// The refusals of one operation: each has its own, made by one line.
macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $code:ident $({ $($fact:ident: $type:ty),+ })? = $message:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $name {
            #[error(transparent)]
            NoShelf(#[from] NoShelf),
            #[error(transparent)]
            ReasonInvalid(#[from] BadText),
            #[error("an offer has at most {ON_HAND_MAX} pieces")]
            TooMuch,
            #[error("the idempotency key was used with another request")]
            IdempotencyConflict,
            $($(#[$about])* #[error($message)] $code $({ $($fact: $type),+ })?,)+
        }

        impl From<Conflict> for $name {
            fn from(_: Conflict) -> Self {
                Self::IdempotencyConflict
            }
        }
    };
}

refusals! {
    /// Why pieces cannot be received.
    ReceiveRefusal {
        QuantityOutOfRange = "must be 1 to {QUANTITY_MAX}",
    }
}

/// Puts new pieces on the shelf.
pub async fn receive(
    tx: &Tx,
    now: DateTime<Utc>,
    shelf: Shelf,
    quantity: i64,
    reason: Option<String>,
) -> Outcome<Level, ReceiveRefusal> {
    if !is_quantity(quantity) {
        return Ok(Err(ReceiveRefusal::QuantityOutOfRange));
    }
    let reason = match limits::optional_reason(reason.as_deref()) {
        Ok(reason) => reason,
        Err(why) => return Ok(Err(why.into())),
    };
    if let Err(refusal) = shelf.takes(tx).await? {
        return Ok(Err(refusal.into()));
    }
    let moved = stock::apply(tx, now, vec![shelf.shift(Kind::Received, quantity, reason)]).await?;
    Ok(moved.map(only).map_err(|_| ReceiveRefusal::TooMuch))
}

refusals! {
    /// Why pieces cannot be taken back.
    ReturnRefusal {
        QuantityOutOfRange = "must be 1 to {QUANTITY_MAX}",
    }
}

/// Puts sold pieces that came back on the shelf again.
pub async fn take_back(
    tx: &Tx,
    now: DateTime<Utc>,
    shelf: Shelf,
    quantity: i64,
    order_id: Option<OrderId>,
    reason: Option<String>,
) -> Outcome<Level, ReturnRefusal> {
    if !is_quantity(quantity) {
        return Ok(Err(ReturnRefusal::QuantityOutOfRange));
    }
    let reason = match limits::optional_reason(reason.as_deref()) {
        Ok(reason) => reason,
        Err(why) => return Ok(Err(why.into())),
    };
    if let Err(refusal) = shelf.takes(tx).await? {
        return Ok(Err(refusal.into()));
    }
    let mut back = shelf.shift(Kind::Returned, quantity, reason);
    back.cause.order_id = order_id;
    let moved = stock::apply(tx, now, vec![back]).await?;
    Ok(moved.map(only).map_err(|_| ReturnRefusal::TooMuch))
}

refusals! {
    /// Why stock cannot be adjusted.
    AdjustRefusal {
        DeltaOutOfRange = "must be 1 to {QUANTITY_MAX}, or as much below zero",
        InsufficientStock { on_hand: i64 } = "fewer pieces lie there",
        WouldUndercutReserved { available: i64 } = "the pieces are reserved",
    }
}

/// Corrects the pieces on the shelf up or down; the reason is kept.
pub async fn adjust(
    tx: &Tx,
    now: DateTime<Utc>,
    shelf: Shelf,
    delta: i64,
    reason: String,
) -> Outcome<Level, AdjustRefusal> {
    if !delta.checked_abs().is_some_and(is_quantity) {
        return Ok(Err(AdjustRefusal::DeltaOutOfRange));
    }
    let reason = match limits::reason(&reason) {
        Ok(reason) => reason,
        Err(why) => return Ok(Err(why.into())),
    };
    let found = if delta > 0 { shelf.takes(tx).await? } else { shelf.look(tx).await?.map(drop) };
    if let Err(refusal) = found {
        return Ok(Err(refusal.into()));
    }
    let moved = stock::apply(tx, now, vec![shelf.shift(Kind::Adjusted, delta, Some(reason))]).await?;
    Ok(moved.map(only).map_err(|unfit| match unfit {
        Unfit::NotEnough { available, .. } => AdjustRefusal::WouldUndercutReserved { available },
        Unfit::ShelfTooShort { on_hand, .. } => AdjustRefusal::InsufficientStock { on_hand },
        Unfit::TooMuch { .. } => AdjustRefusal::TooMuch,
    }))
}

refusals! {
    /// Why a count is not taken.
    CountRefusal {
        QuantityOutOfRange = "must be 0 to {QUANTITY_MAX}",
        WouldUndercutReserved { available: i64 } = "more pieces than that are reserved",
        StaleVersion { current: i64 } = "the stock changed since, to sequence {current}",
    }
}

/// Sets the pieces on the shelf to what somebody counted. `expected_version` is the level's version that they saw. A count
/// that confirms the shelf moves nothing.
pub async fn count(
    tx: &Tx,
    now: DateTime<Utc>,
    shelf: Shelf,
    counted: i64,
    expected_version: Option<i64>,
    reason: Option<String>,
) -> Outcome<Level, CountRefusal> {
    if counted != 0 && !is_quantity(counted) {
        return Ok(Err(CountRefusal::QuantityOutOfRange));
    }
    let reason = match limits::optional_reason(reason.as_deref()) {
        Ok(reason) => reason,
        Err(why) => return Ok(Err(why.into())),
    };
    if let Err(refusal) = shelf.look(tx).await? {
        return Ok(Err(refusal.into()));
    }
    let locked = stock_level::Entity::find_by_id(shelf.offer_id).lock_exclusive().one(tx).await?;
    let Some(level) = locked else {
        return Ok(Err(NoShelf::OfferNotFound.into()));
    };
    if expected_version.is_some_and(|expected| expected != level.version) {
        return Ok(Err(CountRefusal::StaleVersion { current: level.version }));
    }
    let there = location_level::Entity::find_by_id((shelf.offer_id, shelf.location_id)).one(tx).await?;
    let delta = counted - there.map_or(0, |there| there.on_hand);
    if delta == 0 {
        return unmoved(tx, shelf, &level).await;
    }
    let moved = stock::apply(tx, now, vec![shelf.shift(Kind::Adjusted, delta, reason)]).await?;
    Ok(moved.map(only).map_err(|unfit| match unfit {
        Unfit::NotEnough { available, .. } => CountRefusal::WouldUndercutReserved { available },
        Unfit::ShelfTooShort { .. } | Unfit::TooMuch { .. } => CountRefusal::TooMuch,
    }))
}

async fn unmoved(tx: &Tx, shelf: Shelf, level: &stock_level::Model) -> Outcome<Level, CountRefusal> {
    let offers = offer::kept_by(tx, shelf.keeper, [shelf.offer_id]).await?;
    Ok(match offers.first() {
        Some(offer) => Ok(stock::now_is(level, offer)),
        None => Err(NoShelf::OfferNotFound.into()),
    })
}

fn only(levels: Vec<Level>) -> Level {
    levels.into_iter().next().expect("one offer was moved, and its level is in the mirror that was just read")
}
