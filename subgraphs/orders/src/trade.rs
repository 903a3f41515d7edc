//! Trades: pieces that changed hands in the market, on their way from the seller over the authentication centre to the
//! buyer. A match of bidding becomes a row and a saga; what may happen to it is one table in [`saga`].

pub mod authentication;
pub mod drive;
pub mod failure;
pub mod heard;
pub mod open;
pub mod operator;
pub mod parcel;
pub mod rules;
pub mod saga;
pub mod said;
pub mod strike;

use chassis::{Failure, Tx};
use chrono::{DateTime, Utc};
use contract::{TradeId, UserId};
use entity::orders::trade::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::keeper::Keeper;
use saga::State;

/// Who looks. Every finder takes one, so that forgetting whose trade it is cannot happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who trades: what they bought and what their shop sold.
    Party(UserId),
    /// The authentication centre, and admins.
    Staff,
}

/// A side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Buyer,
    Seller,
}

impl Side {
    fn of(self, user: UserId) -> Condition {
        match self {
            Self::Buyer => Condition::all().add(Column::BuyerId.eq(user)),
            Self::Seller => Keeper::Seller(user).keeps(Column::SellerId),
        }
    }
}

/// The place of a trade in a list: when it was matched, and its id.
pub type Place = (DateTime<Utc>, TradeId);

/// How far a trade is, to buyer and seller. Follows from what happened; nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Paying,
    NeedsAction,
    AwaitingShipment,
    InTransit,
    Authenticating,
    Authenticated,
    Dispatched,
    Delivered,
    Completed,
    Cancelling,
    PaymentFailed,
    Refunded,
}

/// How far a trade in `state` is.
pub fn status(state: State) -> Status {
    match state {
        State::Authorising | State::Capturing | State::StuckCapturing => Status::Paying,
        State::Confirming => Status::NeedsAction,
        State::AwaitingShipment => Status::AwaitingShipment,
        State::InTransit => Status::InTransit,
        State::Authenticating => Status::Authenticating,
        State::Authentic => Status::Authenticated,
        State::Dispatched => Status::Dispatched,
        State::Releasing | State::StuckReleasing => Status::Delivered,
        State::Completed => Status::Completed,
        State::Voiding | State::StuckVoiding | State::Refunding | State::StuckRefunding => Status::Cancelling,
        State::PaymentFailed => Status::PaymentFailed,
        State::Refunded => Status::Refunded,
    }
}

/// The trade, if it is the reader's to see.
pub async fn find(db: &impl ConnectionTrait, reader: Reader, id: TradeId) -> Result<Option<Model>, Failure> {
    let mut trades = Entity::find_by_id(id);
    if let Reader::Party(user) = reader {
        let sides = Condition::any().add(Side::Buyer.of(user)).add(Side::Seller.of(user));
        trades = trades.filter(sides);
    }
    Ok(trades.one(db).await?)
}

/// A user's trades on one side, newest first, before `before`.
pub async fn list(
    db: &impl ConnectionTrait,
    user: UserId,
    side: Side,
    before: Option<Place>,
    rows: u64,
) -> Result<Vec<Model>, Failure> {
    let mut trades = Entity::find().filter(side.of(user));
    if let Some((at, id)) = before {
        trades = trades.filter(
            Expr::tuple([Expr::col(Column::MatchedAt), Expr::col(Column::Id)])
                .lt(Expr::tuple([Expr::val(at), Expr::val(id.0)])),
        );
    }
    let newest = trades.order_by_desc(Column::MatchedAt).order_by_desc(Column::Id);
    Ok(newest.limit(rows).all(db).await?)
}

/// Trades in one of `states`, oldest first, after `after`: for operators.
pub async fn in_states(
    db: &impl ConnectionTrait,
    states: &[State],
    after: Option<Place>,
    rows: u64,
) -> Result<Vec<Model>, Failure> {
    let mut trades = Entity::find().filter(Column::State.is_in(states.iter().copied()));
    if let Some((at, id)) = after {
        trades = trades.filter(
            Expr::tuple([Expr::col(Column::MatchedAt), Expr::col(Column::Id)])
                .gt(Expr::tuple([Expr::val(at), Expr::val(id.0)])),
        );
    }
    let oldest = trades.order_by_asc(Column::MatchedAt).order_by_asc(Column::Id);
    Ok(oldest.limit(rows).all(db).await?)
}

/// Locks the trade until the transaction ends.
pub(crate) async fn lock(tx: &Tx, id: TradeId) -> Result<Option<Model>, Failure> {
    let locked: Select<Entity> = Entity::find_by_id(id).lock_exclusive();
    Ok(locked.one(tx).await?)
}

/// The trade as it is now; the caller has seen it before.
pub(crate) async fn again(db: &impl ConnectionTrait, id: TradeId) -> Result<Model, Failure> {
    find(db, Reader::Staff, id).await?.ok_or_else(|| Failure::msg("a trade vanished"))
}
